;;; midfill-next-edit.el --- The change that is likely to come next -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; When the next edit is asked for, and the commands about it.  It is asked for
;; after a change, when the user pauses, and after an edit was applied.  An
;; answer is offered only if the text has not changed since.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'jsonrpc)
(require 'midfill-compat)
(require 'midfill-offer)
(require 'midfill-request)
(require 'midfill-server)
(require 'seq)
(require 'subr-x)

(defgroup midfill-next-edit nil
  "The change that is likely to come next."
  :group 'midfill
  :prefix "midfill-")

(defcustom midfill-next-edit-delay 0.3
  "Seconds without a key after which the next edit is asked for."
  :group 'midfill-next-edit
  :type 'number)

(defvar midfill-next-edit--timer nil "The timer that is going to ask, or nil.")
(defvar midfill-next-edit--pending nil "The request without an answer, or nil.")
(defvar midfill-next-edit--focused nil "The buffer that the server was told about last.")
(defvar-local midfill-next-edit--seen nil "The state of the text after the last command.")
(defvar midfill-mode)

;;;; Asking

(defun midfill-next-edit--cancel ()
  "Do not ask, and cancel what was asked."
  (when midfill-next-edit--timer
    (cancel-timer midfill-next-edit--timer)
    (setq midfill-next-edit--timer nil))
  (when midfill-next-edit--pending
    (midfill-server-cancel midfill-next-edit--pending)
    (setq midfill-next-edit--pending nil)))

(defun midfill-next-edit-clear ()
  "Offer no edit, and ask for none until something is typed."
  (midfill-next-edit--cancel)
  (midfill-offer-clear))

(defun midfill-next-edit--diagnostics ()
  "Return what Flymake has found here, as a vector of LSP's Diagnostics.
What Eglot has from the server is left out."
  (vconcat
   (when (bound-and-true-p flymake-mode)
     (cl-loop for diagnostic in (flymake-diagnostics)
              for position = (midfill-compat-position (flymake-diagnostic-beg diagnostic))
              unless (eq (flymake-diagnostic-backend diagnostic) #'eglot-flymake-backend)
              collect (list :range (list :start position :end position)
                            :message (flymake-diagnostic-text diagnostic))))))

(defun midfill-next-edit--ask (otherwise &optional invoked)
  "Ask for the next edit; call OTHERWISE if there is none.
INVOKED says that the user asks for it."
  (midfill-next-edit--cancel)
  (when-let* ((server (midfill-server-current)))
    (midfill-compat-send-changes)
    (let ((origin (current-buffer))
          request)
      (setq request
            (midfill-server-request
             server :textDocument/copilotInlineEdit
             (list :textDocument (midfill-compat-versioned-document)
                   :position (midfill-compat-position (point))
                   :context (list :triggerKind (if invoked 1 2)
                                  :diagnostics (midfill-next-edit--diagnostics)))
             (lambda (result)
               (when (eq request midfill-next-edit--pending) ; else the text has changed since
                 (setq midfill-next-edit--pending nil)
                 (unless (midfill-next-edit--answered origin (plist-get result :edits))
                   (funcall otherwise)))))
            midfill-next-edit--pending request))))

(defun midfill-next-edit--ask-in (buffer)
  "Ask for the next edit in BUFFER if it is in the selected window."
  (setq midfill-next-edit--timer nil)
  (when (eq buffer (window-buffer (selected-window)))
    (with-current-buffer buffer
      (midfill-next-edit--ask #'ignore))))

;;;; The answer

(defun midfill-next-edit--buffer-of (uri)
  "Return the buffer that the server knows by URI, or nil."
  (seq-find (lambda (buffer)
              (with-current-buffer buffer
                (and (midfill-server-current)
                     (equal (plist-get (midfill-compat-document) :uri) uri))))
            (buffer-list)))

(defun midfill-next-edit--answered (origin edits)
  "Offer the first of EDITS, which the buffer ORIGIN asked for.
Return nil if there is none, or if it is not for the text as it is now."
  (when-let* ((item (and (buffer-live-p origin)
                         (eq origin (window-buffer (selected-window)))
                         (buffer-local-value 'midfill-mode origin)
                         (not (seq-empty-p edits))
                         (elt edits 0)))
              (document (plist-get item :textDocument))
              (buffer (midfill-next-edit--buffer-of (plist-get document :uri))))
    (with-current-buffer buffer
      (midfill-compat-send-changes)     ; Eglot 1.17 counts versions only then
      (when (equal (plist-get document :version)
                   (plist-get (midfill-compat-versioned-document) :version))
        (midfill-offer-show item origin)
        t))))

;;;; While typing

(defun midfill-next-edit--wanted-p ()
  "Return non-nil unless this Emacs has told the server not to predict edits.
A settings file may have turned that on, so the server decides."
  (and (midfill-request-allowed-p)
       (not (eq (plist-get midfill-settings :nextEdit) :json-false))))

(defun midfill-next-edit--focus ()
  "Tell the server if the user has come to this buffer."
  (unless (eq midfill-next-edit--focused (current-buffer))
    (when-let* ((server (midfill-server-current)))
      (setq midfill-next-edit--focused (current-buffer))
      (jsonrpc-notify server :textDocument/didFocus (list :textDocument (midfill-compat-document))))))

(defun midfill-next-edit-follow ()
  "After a command that changed the text, ask for the next edit in a moment.
If the user typed what the edit says, keep it instead."
  (let ((before midfill-next-edit--seen)
        (now (buffer-chars-modified-tick))
        (offer (midfill-offer-here)))
    (setq midfill-next-edit--seen now)
    (midfill-next-edit--focus)
    (unless (or (null before) (= before now))
      (midfill-next-edit--cancel)
      (unless (and offer (eq (midfill-offer-buffer offer) (current-buffer)))
        (midfill-offer-clear)
        (when (midfill-next-edit--wanted-p)
          (setq midfill-next-edit--timer
                (run-with-idle-timer midfill-next-edit-delay nil
                                     #'midfill-next-edit--ask-in (current-buffer))))))
    (midfill-offer-draw)))

;;;; Commands

(defun midfill-next-edit ()
  "Ask for the next edit now."
  (interactive)
  (midfill-next-edit--ask
   (lambda () (message "There is no next edit; M-x midfill-why says why"))
   t))

(defun midfill-next-edit-accept ()
  "Go to the next edit; if point is there, apply it and ask for the one after it."
  (interactive)
  (let ((offer (or (midfill-offer-here) (user-error "There is no next edit"))))
    (if (not (midfill-offer-at-point-p offer))
        (midfill-offer-go offer)
      (midfill-offer-apply offer)
      ;; The user goes on to the next edit: ghost text would come between.
      (midfill-request-skip)
      (setq midfill-next-edit--seen (buffer-chars-modified-tick))
      (when (midfill-next-edit--wanted-p)
        (midfill-next-edit--ask #'ignore)))))

(defun midfill-next-edit-dismiss ()
  "Take the next edit away, and do not offer the same again."
  (interactive)
  (when-let* ((offer (midfill-offer-here)))
    (midfill-offer-tell offer "midfill.nextEditDismissed"))
  (midfill-next-edit-clear))

(defun midfill-next-edit-toggle ()
  "Turn the prediction of edits on or off, in all buffers."
  (interactive)
  (let ((on (not (eq (plist-get midfill-settings :nextEdit) t))))
    (midfill-next-edit-clear)
    (customize-set-variable 'midfill-settings
                            (plist-put (copy-sequence midfill-settings) :nextEdit (or on :json-false)))
    (message "Midfill: the next edit is %s" (if on "on" "off"))))

(add-hook 'midfill-pause-hook #'midfill-next-edit-clear)

(provide 'midfill-next-edit)

;;; midfill-next-edit.el ends here
