;;; midfill-server.el --- The server, as Eglot runs it -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; How Eglot starts the server, what the server is told about this editor, and
;; how its commands are run.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'jsonrpc)
(require 'midfill-compat)
(require 'subr-x)

;;;; Options

(defcustom midfill-command '("midfill" "serve")
  "The server's program and its arguments."
  :group 'midfill
  :type '(repeat string))

(defcustom midfill-settings nil
  "The server's own settings, as a property list: (:maxLines 6 :threads 4).
Set by `customize-set-variable' or `setopt', they count at once."
  :group 'midfill
  :type 'plist
  :initialize #'custom-initialize-default
  :set #'midfill-server--change-settings)

(defvar midfill-server--known-settings nil
  "The names of all settings that servers may have been sent.")

(defun midfill-server--change-settings (symbol settings)
  "Set SYMBOL to SETTINGS, and send them to all servers."
  (cl-loop for (name) on (append (default-value symbol) settings) by #'cddr
           do (cl-pushnew name midfill-server--known-settings))
  (set-default symbol settings)
  (let ((servers (delete-dups (mapcar (lambda (buffer)
                                        (with-current-buffer buffer (midfill-server-current)))
                                      (buffer-list))))
        ;; A name without a value is sent as null, which resets that setting.
        (sent (cl-loop for name in midfill-server--known-settings
                       append (list name (plist-get settings name)))))
    (dolist (server (and sent (delq nil servers)))
      (jsonrpc-notify server :workspace/didChangeConfiguration `(:settings (:midfill ,sent))))))

;;;; What Eglot tells the server

(defclass midfill-server (eglot-lsp-server) ()
  :documentation "A Midfill server.")

(cl-defmethod eglot-client-capabilities ((_server midfill-server))
  "Add ghost text and code actions to what Eglot itself can do."
  (let* ((capabilities (cl-call-next-method))
         (document (plist-get capabilities :textDocument)))
    (setq capabilities
          (plist-put capabilities :textDocument
                     (append document '(:inlineCompletion (:dynamicRegistration :json-false)))))
    ;; Actions are commands: Eglot waits only ten seconds for the edit of one that is not.
    (plist-put capabilities :experimental '(:midfill (:actionText t :input t :commands t)))))

(cl-defmethod eglot-initialization-options ((_server midfill-server))
  "Send `midfill-settings'."
  (or midfill-settings (make-hash-table :size 1)))

;;;; Starting

(defvar midfill-server--all nil
  "All Midfill servers that Eglot has started; some may have ended.")

(defvar midfill-server-usual-folders '("~/.local/bin" "/opt/homebrew/bin" "/usr/local/bin")
  "Where pipx, uv and Homebrew put programs.")

(defun midfill-server-program ()
  "Return the server's program: its name, or its path if Emacs needs that.
Return nil if there is no such program.  An Emacs that was started from the Dock
or a menu may have a short variable `exec-path'."
  (let ((name (car midfill-command)))
    (if (executable-find name)
        name
      (let ((exec-path (mapcar #'expand-file-name midfill-server-usual-folders)))
        (executable-find name)))))

(defun midfill-server-register ()
  "Have Eglot start Midfill in buffers of the current major mode."
  (setf (alist-get major-mode eglot-server-programs nil nil #'equal)
        `(midfill-server ,(or (midfill-server-program) (car midfill-command)) ,@(cdr midfill-command))))

(defun midfill-server--remember (server)
  "Remember SERVER, which Eglot has begun to start."
  (when (object-of-class-p server 'midfill-server)
    (setq midfill-server--all
          (cons server (cl-remove-if-not #'jsonrpc-running-p midfill-server--all)))))

(add-hook 'eglot-server-initialized-hook #'midfill-server--remember)

(defun midfill-server--starting-p ()
  "Return non-nil if a server that will manage this buffer is starting.
Eglot knows only servers that have answered, and would start another."
  (let ((project (midfill-compat-current-project)))
    (cl-some (lambda (server)
               (and (jsonrpc-running-p server)
                    (equal (midfill-compat-server-project server) project)
                    (memq major-mode (midfill-compat-server-modes server))))
             midfill-server--all)))

(defun midfill-server-connect-soon (buffer)
  "Have Eglot connect BUFFER after this command, as `eglot-ensure' does."
  (letrec ((connect (lambda ()
                      (remove-hook 'post-command-hook connect)
                      (when (buffer-live-p buffer)
                        (with-current-buffer buffer
                          (unless (or (eglot-managed-p) (midfill-server--starting-p))
                            (with-demoted-errors "Midfill: %S"
                              (midfill-compat-connect))))))))
    (add-hook 'post-command-hook connect t)))

;;;; Using it

(defun midfill-server-current ()
  "Return the current buffer's server if it is Midfill, and has not ended.
Else return nil."
  (when-let* ((server (and (eglot-managed-p) (eglot-current-server))))
    (and (object-of-class-p server 'midfill-server)
         (jsonrpc-running-p server)
         server)))

(defvar midfill-server--sent nil "The identifier of the last request that was sent.")

(cl-defmethod jsonrpc-connection-send :before ((_server midfill-server) &key id method &allow-other-keys)
  "Remember ID if it is that of a request with METHOD.
`jsonrpc-async-request' does not return it."
  (when (and id method)
    (setq midfill-server--sent id)))

(defun midfill-server-request (server method params callback)
  "Send SERVER a request with METHOD and PARAMS, and call CALLBACK with the result.
Return the request, for `midfill-server-cancel'."
  (jsonrpc-async-request server method params
                         :success-fn callback
                         :error-fn #'ignore
                         :timeout-fn #'ignore
                         :timeout 60)
  (cons server midfill-server--sent))

(defun midfill-server-cancel (request)
  "Tell the server that the answer to REQUEST is not needed any more."
  (pcase-let ((`(,server . ,id) request))
    (when (jsonrpc-running-p server)
      (jsonrpc-notify server :$/cancelRequest (list :id id)))))

(defun midfill-server-run (command arguments callback)
  "Have the server run COMMAND with ARGUMENTS, a vector or nil.
Call CALLBACK with the result.  A buffer that has no server, such as that
of an answer, uses the one that was started last."
  (jsonrpc-async-request (or (midfill-server-current)
                             (cl-find-if #'jsonrpc-running-p midfill-server--all)
                             (user-error "There is no server here"))
                         :workspace/executeCommand
                         (list :command command :arguments (or arguments []))
                         :success-fn callback
                         :error-fn (lambda (failure)
                                     (message "Midfill: %s" (plist-get failure :message)))
                         :timeout-fn #'ignore
                         :timeout 600))

(provide 'midfill-server)

;;; midfill-server.el ends here
