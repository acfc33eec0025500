;;; midfill-request.el --- When suggestions are requested -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; After a key the ghost text is kept if it still fits, or else a suggestion is
;; requested in a moment.  An answer is shown only if nothing has changed since
;; the request.

;;; Code:

(require 'eglot)
(require 'midfill-compat)
(require 'midfill-ghost)
(require 'midfill-server)
(require 'subr-x)

(defcustom midfill-delay 0.05
  "Seconds without a key after which a suggestion is requested."
  :group 'midfill
  :type 'number)

(defconst midfill-request--invoked 1
  "LSP's number of the trigger kind of a request that the user made by a command.")
(defconst midfill-request--automatic 2
  "LSP's number of the trigger kind of a request that was made while typing.")

(defvar midfill-request-paused nil "Non-nil while nothing is to be suggested.")
(defvar midfill-pause-hook nil "Run by `midfill-pause'.")
(defvar-local midfill-request--timer nil "The timer that is going to make a request, or nil.")
(defvar-local midfill-request--pending nil "The request without an answer, or nil.")
(defvar-local midfill-request--seen nil "The state after the last command.")
(defvar-local midfill-request--unanswered nil "The state of the last request, until it is answered.")
(defvar midfill-mode)

(defun midfill-request--state ()
  "Return what a suggestion depends on: point and the text."
  (cons (point) (buffer-chars-modified-tick)))

(defun midfill-request-allowed-p ()
  "Return non-nil if typing in this buffer is to be completed."
  (and (not midfill-request-paused)
       (not buffer-read-only)
       (memq (bound-and-true-p evil-state) '(nil insert emacs))))

;;;; Making and cancelling a request

(defun midfill-request--cancel ()
  "Make no request, and cancel the one that was made."
  (when midfill-request--timer
    (cancel-timer midfill-request--timer)
    (setq midfill-request--timer nil))
  (when midfill-request--pending
    (midfill-server-cancel midfill-request--pending)
    (setq midfill-request--pending nil)))

(defun midfill-request-clear ()
  "Hide the suggestion, and request none until something is typed."
  (midfill-request--cancel)
  (midfill-ghost-hide))

(defun midfill-request--make (kind index)
  "Request suggestions with the trigger kind KIND, to show the one at INDEX.
If there are fewer suggestions, show the last one."
  (midfill-request--cancel)
  (let ((buffer (current-buffer))
        (state (midfill-request--state))
        (server (midfill-server-current)))
    (setq midfill-request--unanswered state)
    (when server
      (midfill-compat-send-changes)
      (setq midfill-request--pending
            (midfill-server-request
             server :textDocument/inlineCompletion
             (append (midfill-compat-document-and-position) `(:context (:triggerKind ,kind)))
             (lambda (result) (midfill-request--answered buffer state result index)))))))

(defun midfill-request--answered (buffer state result index)
  "Show in BUFFER the suggestion at INDEX of RESULT, if STATE is still its state."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when (equal state (midfill-request--state)) ; else there may be a newer request
        (setq midfill-request--pending nil
              midfill-request--unanswered nil)
        (when (and midfill-mode
                   (eq buffer (window-buffer (selected-window))))
          (let ((items (append (if (vectorp result) result (plist-get result :items)) nil)))
            (midfill-request-clear)
            (when items
              (midfill-ghost-show items (min index (1- (length items)))))))))))

;;;; While typing

(defun midfill-request--make-in (buffer)
  "Request a suggestion in BUFFER if it is in the selected window."
  (when (eq buffer (window-buffer (selected-window)))
    (with-current-buffer buffer
      (setq midfill-request--timer nil)
      (midfill-request--make midfill-request--automatic 0))))

(defun midfill-request-follow ()
  "After a command, keep the ghost text if it still fits.
Else hide it and, if the text has changed, request a suggestion."
  (let ((before midfill-request--seen)
        (now (midfill-request--state)))
    (setq midfill-request--seen now)
    (unless (or (equal before now)
                (midfill-ghost-follow))
      (midfill-request-clear)
      (when (and before (/= (cdr before) (cdr now)) (midfill-request-allowed-p))
        (setq midfill-request--timer
              (run-with-idle-timer midfill-delay nil #'midfill-request--make-in (current-buffer)))))))

(defun midfill-request-skip ()
  "Request no suggestion for the text as it is now."
  (midfill-request-clear)
  (setq midfill-request--seen (midfill-request--state)))

(defun midfill-request-repeat ()
  "Request now what could not be requested before there was a server."
  (when (and midfill-request--unanswered
             (equal midfill-request--unanswered (midfill-request--state))
             (midfill-request-allowed-p))
    (midfill-request--cancel)
    ;; By a timer, since Eglot runs its hook before it has opened the document.
    (setq midfill-request--timer
          (run-with-timer 0 nil #'midfill-request--make-in (current-buffer)))))

;;;; Commands

(defun midfill-request--select (step)
  "Show the suggestion that is STEP places on.
If there is only one, request more: an invoked request gives alternatives."
  (let ((count (midfill-ghost-count)))
    (if (< count 2)
        (midfill-request--make midfill-request--invoked count)
      (midfill-ghost-rotate step))))

(defun midfill-next ()
  "Show another suggestion, or ask for one."
  (interactive)
  (midfill-request--select 1))

(defun midfill-previous ()
  "Show the suggestion before."
  (interactive)
  (midfill-request--select -1))

(defun midfill-dismiss ()
  "Hide the suggestion."
  (interactive)
  (midfill-request-clear))

(defun midfill-pause ()
  "Suggest nothing until \\[midfill-resume].
To pause one buffer, turn `midfill-mode' off there."
  (interactive)
  (setq midfill-request-paused t)
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (midfill-request-clear)))
  (run-hooks 'midfill-pause-hook)
  (force-mode-line-update t)
  (message "Midfill: paused"))

(defun midfill-resume ()
  "Suggest again after \\[midfill-pause]."
  (interactive)
  (setq midfill-request-paused nil)
  (force-mode-line-update t)
  (message "Midfill: resumed"))

(provide 'midfill-request)

;;; midfill-request.el ends here
