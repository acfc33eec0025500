;;; midfill.el --- Private, offline code completion as ghost text -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;; Author: Midfill contributors
;; Version: 0.2.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: convenience, languages, tools
;; URL: https://example.org/midfill

;;; Commentary:

;; Midfill is a language server that completes code by a model on your own
;; CPU.  With this package Eglot starts it, and its suggestions are ghost text
;; behind point:
;;
;;     (add-hook 'python-mode-hook #'midfill-ensure)
;;
;; While there is ghost text, TAB accepts all of it, M-e its next line and
;; M-f its next word; M-n and M-p show other suggestions; C-g hides it, and so
;; does typing something else.  Code actions are in `eglot-code-actions'.
;;
;; With the setting `nextEdit', the change that you are likely to make next is
;; shown at its place.  TAB goes there, a second TAB applies it, C-g hides it.
;;
;; Eglot runs one server for each project and language, and one server for a
;; buffer: a buffer that Midfill serves has no other server.
;;
;; Midfill has no page of its own yet: the address above is reserved for
;; examples by RFC 2606.

;;; Code:

(require 'eglot)
(require 'subr-x)

;; The other files are beside this one, and must be found even if this one was
;; loaded by its path.
(eval-and-compile
  (when-let* ((file (macroexp-file-name)))
    (add-to-list 'load-path (directory-file-name (file-name-directory file)))))

(require 'midfill-actions)
(require 'midfill-ghost)
(require 'midfill-next-edit)
(require 'midfill-offer)
(require 'midfill-request)
(require 'midfill-server)
(require 'midfill-status)

(defgroup midfill nil
  "Private, offline code completion as ghost text."
  :group 'completion
  :prefix "midfill-")

(defmacro midfill--when-shown (command &optional edit-command)
  "Make a key binding for COMMAND that exists only while there is ghost text.
Where there is none, it is one for EDIT-COMMAND while an edit is offered."
  `'(menu-item "" (,command . ,edit-command) :filter midfill--filter))

(defun midfill--filter (commands)
  "Return the one of COMMANDS that has something to act on, or nil."
  (cond ((midfill-ghost-remainder) (car commands))
        ((midfill-offer-here) (cdr commands))))

(defvar midfill-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") (midfill--when-shown midfill-accept midfill-next-edit-accept))
    (define-key map (kbd "M-e") (midfill--when-shown midfill-accept-line))
    (define-key map (kbd "M-f") (midfill--when-shown midfill-accept-word))
    (define-key map (kbd "M-n") (midfill--when-shown midfill-next))
    (define-key map (kbd "M-p") (midfill--when-shown midfill-previous))
    (define-key map (kbd "C-g") (midfill--when-shown midfill-dismiss midfill-next-edit-dismiss))
    map)
  "Keys of `midfill-mode'.
Each does what it usually does if there is neither ghost text nor an edit.")

(defun midfill--quit (data &rest _)
  "Hide what is shown if DATA is the signal of a quit command.
While Emacs is busy, \\[keyboard-quit] quits what it does, whatever the key is bound to."
  (when (eq (car data) 'quit)
    (midfill-request-clear)
    (midfill-next-edit-clear)))

;;;###autoload
(define-minor-mode midfill-mode
  "Show Midfill's suggestions as ghost text behind point.
Eglot must run Midfill in the buffer: `midfill-ensure' does both."
  :lighter (:eval (midfill-status-lighter))
  (if midfill-mode
      (progn
        (add-hook 'post-command-hook #'midfill-request-follow nil t)
        (add-hook 'post-command-hook #'midfill-next-edit-follow t t)
        (add-function :before (local 'command-error-function) #'midfill--quit)
        (add-hook 'eglot-managed-mode-hook #'midfill-request-repeat nil t))
    (remove-hook 'post-command-hook #'midfill-request-follow t)
    (remove-hook 'post-command-hook #'midfill-next-edit-follow t)
    (remove-function (local 'command-error-function) #'midfill--quit)
    (remove-hook 'eglot-managed-mode-hook #'midfill-request-repeat t)
    (midfill-request-clear)
    (when (midfill-offer-here)
      (midfill-next-edit-clear))))

;;;###autoload
(defun midfill-ensure ()
  "Have Eglot run Midfill in this buffer, and show suggestions.
Made for the hooks of major modes."
  (interactive)
  (if (not (midfill-server-program))
      (message "Midfill: there is no program `%s'; see `midfill-command'" (car midfill-command))
    (midfill-server-register)
    (midfill-mode)
    (when buffer-file-name
      (midfill-server-connect-soon (current-buffer)))))

(defun midfill-restart ()
  "End the server, if there is one, and start it anew."
  (interactive)
  (if-let* ((server (midfill-server-current)))
      (eglot-reconnect server t)
    (midfill-ensure)))

(provide 'midfill)

;;; midfill.el ends here
