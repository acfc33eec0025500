;;; midfill-actions.el --- Code actions, questions and answers -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The server's code actions are in the menu of `eglot-code-actions'; here are
;; commands that do some by name.  What the model has to say about code comes
;; in a page while it is generated.

;;; Code:

(require 'eglot)
(require 'midfill-compat)
(require 'midfill-page)
(require 'midfill-server)
(require 'subr-x)

(defconst midfill-actions--names
  '("document" "document-all" "explain" "extract" "faster" "fix" "review" "simplify" "tests" "types" "write")
  "The server's actions, by its names.")

(defconst midfill-actions--of-file '("document-all" "review")
  "The actions that are about a whole file.")

;;;; From Eglot's menu

(defun midfill-actions--execute (command arguments)
  "Have the server run COMMAND with ARGUMENTS, as a code action wants it.
Do not wait for it, since an action may take minutes."
  (let ((wanted (aref arguments 0)))
    (if (equal command "midfill.input")
        (let ((words (read-string "What is to be done? ")))
          (unless (string-empty-p words)
            (midfill-server-run "midfill.do" (vector (append wanted (list :instruction words))) #'ignore)))
      (midfill-server-run command arguments #'ignore))))

;; Eglot 1.17 (in Emacs 30) and newer call this.
(cl-defmethod eglot-execute ((_server midfill-server) action)
  "Do ACTION; if it is a command, do not wait for it."
  (let ((command (plist-get action :command)))
    (if (stringp command)
        (midfill-actions--execute command (plist-get action :arguments))
      (cl-call-next-method))))

;; Eglot 1.9 (for Emacs 28) calls this.
(with-suppressed-warnings ((obsolete eglot-execute-command))
  (cl-defmethod eglot-execute-command ((_server midfill-server) command arguments)
    "Run COMMAND with ARGUMENTS, and do not wait for it."
    (midfill-actions--execute (format "%s" command) arguments)))

;;;; Answers

(define-derived-mode midfill-answer-mode special-mode "Midfill-Answer"
  "Major mode of an answer of the model; one can ask on from it."
  (visual-line-mode))

(define-key midfill-answer-mode-map "a" #'midfill-ask)

(defvar midfill-actions--answer nil
  "The identifier of the last answer, and its page.")

(defun midfill-actions--begin-answer (id title)
  "Display a page for the answer with ID, under TITLE.
Dots behind the title say that there is more to come."
  (let ((page (midfill-page "*midfill answer*")))
    (with-current-buffer page
      (midfill-answer-mode))
    (midfill-page-append page (format "# %s …\n\n" title))
    (display-buffer page)
    (setq midfill-actions--answer (cons id page))))

(defun midfill-actions--end-answer ()
  "Remove the dots behind the title of the last answer."
  (with-current-buffer (cdr midfill-actions--answer)
    (save-excursion
      (goto-char (point-min))
      (let ((inhibit-read-only t))
        (when (search-forward " …" (line-end-position) t)
          (replace-match ""))))))

(defun midfill-actions--show-answer (id title text done)
  "Show TEXT, the next piece of the answer with ID and TITLE.
DONE is non-nil for the last piece."
  (unless (and (equal id (car midfill-actions--answer))
               (buffer-live-p (cdr midfill-actions--answer)))
    (midfill-actions--begin-answer id title))
  (midfill-page-append (cdr midfill-actions--answer) text)
  (when done
    (midfill-actions--end-answer)))

(cl-defmethod eglot-handle-notification
  ((_server midfill-server) (_method (eql midfill/actionText)) &key id title text done &allow-other-keys)
  "Show TEXT, the next piece of the answer with ID and TITLE, DONE or not."
  (midfill-actions--show-answer id title text (not (memq done '(nil :json-false)))))

;;;; By name

(defun midfill-actions--place ()
  "Return the document, and the range of the region or of point, for LSP."
  (let ((start (if (use-region-p) (region-beginning) (point)))
        (end (if (use-region-p) (region-end) (point))))
    (append (midfill-compat-document)
            (list :range (list :start (midfill-compat-position start)
                               :end (midfill-compat-position end))))))

(defun midfill-actions--argument (name words)
  "Return the server's argument for doing the action NAME here, with WORDS."
  (let ((place (midfill-actions--place)))
    (append (list :action name
                  :uri (plist-get place :uri)
                  (if (equal name "fix") :message :instruction) (or words ""))
            (unless (member name midfill-actions--of-file)
              (list :range (plist-get place :range))))))

(defun midfill-do (name &optional words)
  "Do the action NAME with the lines of the region, or those around point.
WORDS say what to write, or are the error to fix."
  (interactive
   (let ((name (completing-read "Action: " midfill-actions--names nil t)))
     (list name (when (member name '("fix" "write"))
                  (read-string (if (equal name "fix") "Error: " "What: "))))))
  (midfill-server-run "midfill.do" (vector (midfill-actions--argument name words)) #'ignore))

(defun midfill-explain ()
  "Explain the lines of the region, or those around point, in a window."
  (interactive)
  (midfill-do "explain"))

(defun midfill-ask (question)
  "Ask QUESTION about the lines of the region, or those around point.
In the window of an answer, ask on from that answer."
  (interactive "sAsk: ")
  (let ((place (when (midfill-server-current) (midfill-actions--place))))
    (midfill-server-run "midfill.ask" (vector (append (list :text question) place)) #'ignore)))

(provide 'midfill-actions)

;;; midfill-actions.el ends here
