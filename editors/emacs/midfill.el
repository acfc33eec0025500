;;; midfill.el --- Private, offline code completion as ghost text -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;; Author: Midfill contributors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: convenience, languages, tools
;; URL: https://example.org/midfill

;;; Commentary:

;; Midfill is a language server that completes code by a model on your own
;; CPU.  This package has Eglot start it and shows what it suggests as ghost
;; text behind point:
;;
;;     (add-hook 'python-mode-hook #'midfill-ensure)
;;
;; While there is ghost text, TAB accepts all of it, M-e its next line and
;; M-f its next word; M-n and M-p show other suggestions; C-g takes it away,
;; as does typing something else.  Code actions are in `eglot-code-actions'.
;;
;; Eglot runs one server for a buffer, so a buffer that Midfill serves has no
;; other one; and one for each project and language.
;;
;; Midfill has no page of its own yet: the address above is one that leads
;; nowhere by RFC 2606.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'jsonrpc)
(require 'subr-x)

(defgroup midfill nil
  "Private, offline code completion as ghost text."
  :group 'completion
  :prefix "midfill-")

(defcustom midfill-command '("midfill" "serve")
  "The server's program and its arguments."
  :type '(repeat string))

(defcustom midfill-settings nil
  "The server's own settings, as a property list: (:maxLines 6 :threads 4).
Set by `customize-set-variable' or `setopt', they count at once."
  :type 'plist
  :initialize #'custom-initialize-default
  :set #'midfill--change-settings)

(defcustom midfill-delay 0.05
  "Seconds without a key after which a suggestion is asked for."
  :type 'number)

(defface midfill-ghost '((t :inherit shadow))
  "How a suggestion looks before it is accepted.")

;;;; The server, as Eglot knows it

(defclass midfill-server (eglot-lsp-server) ()
  :documentation "A Midfill server.")

(cl-defmethod eglot-client-capabilities ((_server midfill-server))
  "Tell the server of ghost text, and of how actions are done here."
  (let* ((capabilities (cl-call-next-method))
         (document (plist-get capabilities :textDocument)))
    (setq capabilities
          (plist-put capabilities :textDocument
                     (append document '(:inlineCompletion (:dynamicRegistration :json-false)))))
    ;; Commands, since Eglot would wait for an edit no longer than ten seconds.
    (plist-put capabilities :experimental '(:midfill (:actionText t :input t :commands t)))))

(cl-defmethod eglot-initialization-options ((_server midfill-server))
  "Send `midfill-settings'."
  (or midfill-settings (make-hash-table :size 1)))

(defun midfill--register ()
  "Have Eglot start Midfill in buffers of the current major mode."
  (setf (alist-get major-mode eglot-server-programs nil nil #'equal)
        (cons 'midfill-server midfill-command)))

(defvar midfill--ever-set nil "The names of all settings that servers may have been told of.")

(defun midfill--change-settings (symbol settings)
  "Set SYMBOL to SETTINGS, and tell all servers."
  (cl-loop for (name) on (append (default-value symbol) settings) by #'cddr
           do (cl-pushnew name midfill--ever-set))
  (set-default symbol settings)
  (let ((servers (delete-dups (mapcar (lambda (buffer) (with-current-buffer buffer (midfill--server)))
                                      (buffer-list))))
        ;; Null, which is nil here, takes back what was said before.
        (told (cl-loop for name in midfill--ever-set
                       append (list name (plist-get settings name)))))
    (dolist (server (and told (delq nil servers)))
      (jsonrpc-notify server :workspace/didChangeConfiguration `(:settings (:midfill ,told))))))

(defun midfill--server ()
  "Return the current buffer's server if it can suggest, else nil."
  (when-let* ((server (and (eglot-managed-p) (eglot-current-server))))
    (and (object-of-class-p server 'midfill-server)
         (jsonrpc-running-p server)
         server)))

;;;; One server, also for files that are opened while it starts

(defvar midfill--servers nil "All servers of ours, of which some may have ended.")

(defun midfill--note-server (server)
  "Remember SERVER, which Eglot has begun to start."
  (when (object-of-class-p server 'midfill-server)
    (setq midfill--servers (cons server (cl-remove-if-not #'jsonrpc-running-p midfill--servers)))))

(add-hook 'eglot-server-initialized-hook #'midfill--note-server)

(defun midfill--being-started-p ()
  "Return non-nil if a server that is to manage this buffer is on its way.
Eglot knows only those that have answered, and would start another."
  (let ((project (eglot--current-project)))
    (cl-some (lambda (server)
               (and (jsonrpc-running-p server)
                    (equal (eglot--project server) project)
                    (memq major-mode (eglot--major-modes server))))
             midfill--servers)))

(defun midfill--connect-soon (buffer)
  "Have Eglot connect BUFFER after this command, as `eglot-ensure' does."
  (letrec ((connect (lambda ()
                      (remove-hook 'post-command-hook connect)
                      (when (buffer-live-p buffer)
                        (with-current-buffer buffer
                          (unless (or (eglot-managed-p) (midfill--being-started-p))
                            (with-demoted-errors "Midfill: %S"
                              (apply #'eglot--connect (eglot--guess-contact)))))))))
    (add-hook 'post-command-hook connect t)))

;;;; The suggestion that is shown

(cl-defstruct (midfill--suggestion (:copier nil))
  "Suggestions for one place, one of which is shown."
  items                                 ; as the server sent them, a list
  (index 0)                             ; of the one shown
  start                                 ; position at which its text begins
  after                                 ; the text right of point on its line
  replaced)                             ; characters of that which it replaces

(defvar-local midfill--suggestion nil "What is shown here, or nil.")
(defvar-local midfill--overlay nil "The overlay that shows it.")
(defvar-local midfill--timer nil "The timer that is going to ask.")
(defvar-local midfill--request nil "The number of the request without an answer, or nil.")
(defvar midfill--sent nil "The number of the last request for suggestions, wherever it was made.")
(defvar-local midfill--seen nil "Point and modification tick as they were looked at last.")
(defvar-local midfill--unanswered nil "The state that no server was there to answer for.")
(defvar midfill--paused nil "Whether nothing is to be suggested for now.")
(defvar midfill-mode)

(defun midfill--item ()
  "Return the item that is shown."
  (nth (midfill--suggestion-index midfill--suggestion)
       (midfill--suggestion-items midfill--suggestion)))

(defun midfill--text ()
  "Return the whole text of the suggestion that is shown."
  (let ((text (plist-get (midfill--item) :insertText)))
    (if (stringp text) text (plist-get text :value))))

(defun midfill--after-point ()
  "Return the text right of point on its line."
  (buffer-substring-no-properties (point) (line-end-position)))

(defun midfill--remainder ()
  "Return what is left of the suggestion behind point.
Nil when there is none, or the buffer's text has left it."
  (when midfill--suggestion
    (let ((start (midfill--suggestion-start midfill--suggestion))
          (text (midfill--text)))
      (when (<= (point-min) start (point))
        (let ((typed (buffer-substring-no-properties start (point))))
          (and (string-prefix-p typed text)
               (< (length typed) (length text))
               (equal (midfill--after-point) (midfill--suggestion-after midfill--suggestion))
               (substring text (length typed))))))))

(defun midfill--draw (text)
  "Show TEXT behind point."
  (unless midfill--overlay
    (setq midfill--overlay (make-overlay (point) (point) nil t)))
  (let* ((end (+ (point) (midfill--suggestion-replaced midfill--suggestion)))
         (ghost (propertize text 'face 'midfill-ghost)))
    (put-text-property 0 1 'cursor t ghost) ; or point would seem to be behind it
    (move-overlay midfill--overlay (point) end)
    (overlay-put midfill--overlay 'display (and (< (point) end) ""))
    (overlay-put midfill--overlay (if (< (point) end) 'before-string 'after-string) ghost)
    (overlay-put midfill--overlay (if (< (point) end) 'after-string 'before-string) nil)))

(defun midfill--cancel ()
  "Ask for nothing, and forget what was asked for."
  (when midfill--timer
    (cancel-timer midfill--timer)
    (setq midfill--timer nil))
  (when midfill--request
    (when-let* ((server (midfill--server)))
      (jsonrpc-notify server :$/cancelRequest (list :id midfill--request)))
    (setq midfill--request nil)))

(defun midfill--clear ()
  "Take the suggestion away, and ask for none until something is typed."
  (midfill--cancel)
  (when midfill--overlay
    (delete-overlay midfill--overlay)
    (setq midfill--overlay nil))
  (setq midfill--suggestion nil))

;;;; Asking and following

(defconst midfill--invoked 1 "LSP's number of a request that the user made outright.")
(defconst midfill--automatic 2 "LSP's number of a request that typing made.")

(defun midfill--state ()
  "Return what a suggestion depends on: point and the text."
  (cons (point) (buffer-chars-modified-tick)))

(defun midfill--ask (kind index)
  "Ask for suggestions, KIND as LSP numbers it, and show the one at INDEX.
The last one is shown if there are not as many."
  (midfill--cancel)
  (let ((buffer (current-buffer))
        (state (midfill--state))
        (server (midfill--server)))
    (setq midfill--unanswered state)
    (when server
      ;; Eglot sends changes half a second late, but its own requests wait for that.
      (eglot--signal-textDocument/didChange)
      (jsonrpc-async-request
       server :textDocument/inlineCompletion
       (append (eglot--TextDocumentPositionParams) `(:context (:triggerKind ,kind)))
       :success-fn (lambda (result) (midfill--answered buffer state result index))
       :error-fn #'ignore
       :timeout-fn #'ignore
       :timeout 60)
      (setq midfill--request midfill--sent))))

(cl-defmethod jsonrpc-connection-send :before
  ((_server midfill-server) &key id method &allow-other-keys)
  "Remember ID if METHOD asks for suggestions.
`jsonrpc-async-request' does not tell it."
  (when (eq method :textDocument/inlineCompletion)
    (setq midfill--sent id)))

(defun midfill--answered (buffer state result index)
  "Show in BUFFER the suggestion at INDEX of RESULT, if STATE is still its state."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when (equal state (midfill--state)) ; else another one may have been asked
        (setq midfill--request nil
              midfill--unanswered nil)
        (when (and midfill-mode
                   (eq buffer (window-buffer (selected-window))))
          (let ((items (append (if (vectorp result) result (plist-get result :items)) nil)))
            (midfill--clear)
            (when items
              (midfill--show items (min index (1- (length items)))))))))))

(defun midfill--managed ()
  "Ask now for what was typed while there was no server."
  (when (and midfill--unanswered
             (equal midfill--unanswered (midfill--state))
             (midfill--may-ask-p))
    (midfill--cancel)
    ;; In a moment: Eglot runs its hook before it has opened the document.
    (setq midfill--timer (run-with-timer 0 nil #'midfill--ask-in (current-buffer)))))

(defun midfill--show (items index)
  "Show the one at INDEX of ITEMS at point."
  (let* ((range (plist-get (nth index items) :range))
         (start (if range (eglot--lsp-position-to-point (plist-get range :start)) (point)))
         (end (if range (eglot--lsp-position-to-point (plist-get range :end)) (point))))
    (setq midfill--suggestion
          (make-midfill--suggestion
           :items items :index index :start start
           :after (midfill--after-point)
           :replaced (max 0 (- (min end (line-end-position)) (point)))))
    (if-let* ((text (midfill--remainder)))
        (midfill--draw text)
      (midfill--clear))))

(defun midfill--may-ask-p ()
  "Return non-nil if typing here is to be completed."
  (and (not midfill--paused)
       (not buffer-read-only)
       (memq (bound-and-true-p evil-state) '(nil insert emacs))))

(defun midfill--follow ()
  "Follow what the last command did: keep the suggestion, or ask for one."
  (let ((before midfill--seen)
        (text (midfill--remainder)))
    (setq midfill--seen (midfill--state))
    (cond ((equal before midfill--seen))
          (text (midfill--draw text))
          (t
           (midfill--clear)
           (when (and before (/= (cdr before) (cdr midfill--seen)) (midfill--may-ask-p))
             (setq midfill--timer
                   (run-with-idle-timer midfill-delay nil #'midfill--ask-in (current-buffer))))))))

(defun midfill--ask-in (buffer)
  "Ask for a suggestion if BUFFER is still the one that is typed into."
  (when (eq buffer (window-buffer (selected-window)))
    (with-current-buffer buffer
      (setq midfill--timer nil)
      (midfill--ask midfill--automatic 0))))

;;;; Commands

(defun midfill--part (text part)
  "Return the first PART of TEXT: all of it, or its next `line' or `word'.
A line comes with the line break before it, and a word with the space."
  (let ((pattern (pcase part
                   ('line "\\`\n?[^\n]*")
                   ('word "\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)"))))
    (if (and pattern (string-match pattern text))
        (match-string 0 text)
      text)))

(defun midfill--accept (part)
  "Put a PART of the suggestion into the text; the rest stays shown."
  (let* ((text (or (midfill--remainder) (user-error "There is no suggestion")))
         (piece (midfill--part text part))
         (replaced (midfill--suggestion-replaced midfill--suggestion))
         (command (plist-get (midfill--item) :command)))
    (undo-boundary)
    (if (not (equal piece text))
        (insert piece)
      (midfill--clear)
      (delete-region (point) (+ (point) replaced))
      (insert piece)
      (when (and command (midfill--server))
        (midfill--run (plist-get command :command) (plist-get command :arguments) #'ignore)))))

(defun midfill--run (command arguments answered)
  "Have the server run COMMAND with ARGUMENTS, a vector.
Call ANSWERED with its result."
  (jsonrpc-async-request (or (midfill--server)
                             (cl-find-if #'jsonrpc-running-p midfill--servers)
                             (user-error "There is no server here"))
                         :workspace/executeCommand
                         (list :command command :arguments (or arguments []))
                         :success-fn answered
                         :error-fn (lambda (failure)
                                     (message "Midfill: %s" (plist-get failure :message)))
                         :timeout-fn #'ignore
                         :timeout 600))

(defun midfill--page (name)
  "Return the buffer called NAME, emptied, for text to read."
  (with-current-buffer (get-buffer-create name)
    (special-mode)
    (let ((inhibit-read-only t))
      (erase-buffer))
    (current-buffer)))

(defun midfill--append (buffer text)
  "Add TEXT to the end of BUFFER, whose windows keep showing what they show."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (let ((inhibit-read-only t))
        (save-excursion
          (goto-char (point-max))
          (insert text))))))

(defun midfill--show-answer (name command &optional arguments)
  "Show what the server answers COMMAND with ARGUMENTS in a buffer called NAME."
  (midfill--run command arguments
                (lambda (text)
                  (let ((page (midfill--page name)))
                    (midfill--append page text)
                    (display-buffer page)))))

(defun midfill-accept ()
  "Accept all of the suggestion."
  (interactive)
  (midfill--accept 'all))

(defun midfill-accept-line ()
  "Accept the suggestion's next line."
  (interactive)
  (midfill--accept 'line))

(defun midfill-accept-word ()
  "Accept the suggestion's next word."
  (interactive)
  (midfill--accept 'word))

(defun midfill-dismiss ()
  "Take the suggestion away."
  (interactive)
  (midfill--clear))

(defun midfill--quit (data &rest _)
  "Take the suggestion away if DATA is the signal of a quit command.
For \\[keyboard-quit] while Emacs is at something quits that, whatever the key is bound to."
  (when (eq (car data) 'quit)
    (midfill--clear)))

(defun midfill--select (step)
  "Show the suggestion STEP places on.
If there is only one the server is asked outright, for then it gives more."
  (let ((count (if midfill--suggestion (length (midfill--suggestion-items midfill--suggestion)) 0)))
    (if (< count 2)
        (midfill--ask midfill--invoked count)
      (let ((shown (midfill--suggestion-index midfill--suggestion)))
        (setf (midfill--suggestion-index midfill--suggestion) (mod (+ shown step) count))
        (if-let* ((text (midfill--remainder)))
            (midfill--draw text)
          ;; What was typed fits the one shown, but not the other.
          (setf (midfill--suggestion-index midfill--suggestion) shown))))))

(defun midfill-next ()
  "Show another suggestion, or ask for one."
  (interactive)
  (midfill--select 1))

(defun midfill-previous ()
  "Show the suggestion before."
  (interactive)
  (midfill--select -1))

(defun midfill-pause ()
  "Suggest nothing until \\[midfill-resume]; to pause one buffer, turn `midfill-mode' off there."
  (interactive)
  (setq midfill--paused t)
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (midfill--clear)))
  (force-mode-line-update t)
  (message "Midfill: paused"))

(defun midfill-resume ()
  "Suggest again after \\[midfill-pause]."
  (interactive)
  (setq midfill--paused nil)
  (force-mode-line-update t)
  (message "Midfill: resumed"))

(defun midfill-status ()
  "Say what Midfill does in this buffer."
  (interactive)
  (message "Midfill: %s"
           (cond ((not midfill-mode) "off in this buffer; M-x midfill-ensure starts it")
                 (midfill--paused "paused; M-x midfill-resume goes on")
                 ((midfill--server) "ready")
                 ((eglot-managed-p) "Eglot runs another server in this buffer")
                 (t "no server; M-x midfill-restart starts it"))))

(defun midfill-restart ()
  "End the server, if there is one, and start it anew."
  (interactive)
  (if-let* ((server (midfill--server)))
      (eglot-reconnect server t)
    (midfill-ensure)))

(defun midfill-why (count)
  "Show what became of the last request and why, with the exact prompt.
With a numeric prefix argument, show that of the last COUNT requests."
  (interactive "p")
  (midfill--show-answer "*midfill why*" "midfill.why" (vector count)))

(defun midfill-statistics ()
  "Show what became of suggestions on this machine."
  (interactive)
  (midfill--show-answer "*midfill statistics*" "midfill.statistics"))

(defun midfill-doctor ()
  "Have the server's program examine its installation, in a window of its own."
  (interactive)
  (let ((page (midfill--page "*midfill doctor*")))
    (display-buffer page)
    ;; Emacs's own filter would keep the window at the end, past what was written first.
    (make-process :name "midfill-doctor" :buffer page :noquery t
                  :command (list (car midfill-command) "doctor")
                  :filter (lambda (_process output) (midfill--append page output))
                  :sentinel (lambda (_process event)
                              (midfill--append page (format "\nThe doctor has %s" event))))))

(defun midfill-log ()
  "Show what the server has logged."
  (interactive)
  (display-buffer (jsonrpc-stderr-buffer (or (midfill--server) (user-error "There is no server here")))))

;;;; Actions: those of `eglot-code-actions', and some by name

(defconst midfill--actions
  '("document" "document-all" "explain" "extract" "faster" "fix" "review" "simplify" "tests" "types" "write")
  "The server's actions, by its names.")

(defconst midfill--of-file '("document-all" "review") "Those that are about a whole file.")

(define-derived-mode midfill-answer-mode special-mode "Midfill-Answer"
  "Major mode of what the model has to say; questions go on from it."
  (visual-line-mode))

(define-key midfill-answer-mode-map "a" #'midfill-ask)

(defvar midfill--answers nil "The number of the text that is being written, and its buffer.")

(defun midfill--execute (command arguments)
  "Have the server run COMMAND with ARGUMENTS, which a code action names.
Nobody waits for it: an action takes as long as it takes."
  (let ((wanted (aref arguments 0)))
    (if (equal command "midfill.input")
        (let ((words (read-string "What is to be done? ")))
          (unless (string-empty-p words)
            (midfill--run "midfill.do" (vector (append wanted (list :instruction words))) #'ignore)))
      (midfill--run command arguments #'ignore))))

;; Eglot 1.17 and newer
(cl-defmethod eglot-execute ((_server midfill-server) action)
  "Do ACTION, whose command is run without waiting for it."
  (let ((command (plist-get action :command)))
    (if (stringp command)
        (midfill--execute command (plist-get action :arguments))
      (cl-call-next-method))))

;; Eglot 1.9
(with-suppressed-warnings ((obsolete eglot-execute-command))
  (cl-defmethod eglot-execute-command ((_server midfill-server) command arguments)
    "Run COMMAND with ARGUMENTS without waiting for it."
    (midfill--execute (format "%s" command) arguments)))

(cl-defmethod eglot-handle-notification
  ((_server midfill-server) (_method (eql midfill/actionText)) &key id title text done &allow-other-keys)
  "Show TEXT, the next piece of the one that has ID and TITLE, until it is DONE."
  (unless (and (equal id (car midfill--answers))
               (buffer-live-p (cdr midfill--answers)))
    (let ((page (midfill--page "*midfill answer*")))
      (with-current-buffer page
        (midfill-answer-mode))
      (midfill--append page (format "# %s …\n\n" title))
      (display-buffer page)
      (setq midfill--answers (cons id page))))
  (midfill--append (cdr midfill--answers) text)
  (when (and done (not (eq done :json-false)))
    (with-current-buffer (cdr midfill--answers)
      (save-excursion
        (goto-char (point-min))
        (let ((inhibit-read-only t))
          (when (search-forward " …" (line-end-position) t)
            (replace-match "")))))))

(defun midfill--place ()
  "Return the document here, and the lines of the region or of point."
  (let ((start (if (use-region-p) (region-beginning) (point)))
        (end (if (use-region-p) (region-end) (point))))
    (append (eglot--TextDocumentIdentifier)
            (list :range (list :start (eglot--pos-to-lsp-position start)
                               :end (eglot--pos-to-lsp-position end))))))

(defun midfill--wanted (name words)
  "Return the server's argument for doing the action NAME here, with WORDS."
  (let ((place (midfill--place)))
    (append (list :action name
                  :uri (plist-get place :uri)
                  (if (equal name "fix") :message :instruction) (or words ""))
            (unless (member name midfill--of-file)
              (list :range (plist-get place :range))))))

(defun midfill-do (name &optional words)
  "Do the action NAME with the lines of the region, or those around point.
WORDS say what to write, or are the error to fix."
  (interactive
   (let ((name (completing-read "Action: " midfill--actions nil t)))
     (list name (when (member name '("fix" "write"))
                  (read-string (if (equal name "fix") "Error: " "What: "))))))
  (midfill--run "midfill.do" (vector (midfill--wanted name words)) #'ignore))

(defun midfill-explain ()
  "Explain the lines of the region, or those around point, in a window."
  (interactive)
  (midfill-do "explain"))

(defun midfill-ask (question)
  "Ask QUESTION about the lines of the region, or those around point.
In the window of an answer it goes on from that."
  (interactive "sAsk: ")
  (let ((place (when (midfill--server) (midfill--place))))
    (midfill--run "midfill.ask" (vector (append (list :text question) place)) #'ignore)))

;;;; The mode

(defmacro midfill--when-shown (command)
  "Make a key binding for COMMAND that is there only while ghost text is."
  `'(menu-item "" ,command :filter midfill--filter))

(defun midfill--filter (command)
  "Return COMMAND if there is ghost text that it can act on."
  (and (midfill--remainder) command))

(defvar midfill-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") (midfill--when-shown midfill-accept))
    (define-key map (kbd "M-e") (midfill--when-shown midfill-accept-line))
    (define-key map (kbd "M-f") (midfill--when-shown midfill-accept-word))
    (define-key map (kbd "M-n") (midfill--when-shown midfill-next))
    (define-key map (kbd "M-p") (midfill--when-shown midfill-previous))
    (define-key map (kbd "C-g") (midfill--when-shown midfill-dismiss))
    map)
  "Keys of `midfill-mode'; without ghost text each means what it usually does.")

(defun midfill--lighter ()
  "Return the text for the mode line."
  (cond (midfill--paused " Midfill:paused")
        ((midfill--server) " Midfill")
        (t " Midfill:off")))

;;;###autoload
(define-minor-mode midfill-mode
  "Show what Midfill suggests as ghost text behind point.
It needs Eglot to run Midfill here: `midfill-ensure' does both."
  :lighter (:eval (midfill--lighter))
  (if midfill-mode
      (progn
        (add-hook 'post-command-hook #'midfill--follow nil t)
        (add-function :before (local 'command-error-function) #'midfill--quit)
        (add-hook 'eglot-managed-mode-hook #'midfill--managed nil t))
    (remove-hook 'post-command-hook #'midfill--follow t)
    (remove-function (local 'command-error-function) #'midfill--quit)
    (remove-hook 'eglot-managed-mode-hook #'midfill--managed t)
    (midfill--clear)))

;;;###autoload
(defun midfill-ensure ()
  "Have Eglot run Midfill here, and show suggestions.
Made for the hooks of major modes."
  (interactive)
  (if (not (executable-find (car midfill-command)))
      (message "Midfill: there is no program `%s'; see `midfill-command'" (car midfill-command))
    (midfill--register)
    (midfill-mode)
    (when buffer-file-name
      (midfill--connect-soon (current-buffer)))))

(provide 'midfill)

;;; midfill.el ends here
