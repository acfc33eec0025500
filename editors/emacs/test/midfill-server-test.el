;;; midfill-server-test.el --- Tests of how the server is started -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; No test here starts a server.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'jsonrpc)
(require 'midfill)

(defun midfill-server-test-server ()
  "Return a server object that is connected to nothing."
  (make-instance 'midfill-server :process (make-pipe-process :name "midfill-test" :noquery t)))

(defmacro midfill-server-test-connect (&rest body)
  "Evaluate BODY in a Python buffer; return how many servers Eglot was to start."
  (declare (indent 0) (debug t))
  `(with-temp-buffer
     (let ((eglot-server-programs nil)
           (midfill-server--all '(server))
           (started 0))
       (setq major-mode 'python-mode)
       (cl-letf (((symbol-function 'midfill-compat-connect) (lambda () (cl-incf started)))
                 ((symbol-function 'midfill-compat-current-project) (lambda () '(transient . "/here")))
                 ((symbol-function 'midfill-compat-server-project) (lambda (_server) '(transient . "/here")))
                 ((symbol-function 'midfill-compat-server-modes) (lambda (_server) '(python-mode)))
                 ((symbol-function 'jsonrpc-running-p) (lambda (_server) t)))
         ,@body)
       started)))

;;;; Starting

(ert-deftest midfill-server-registers ()
  "Eglot starts Midfill's command for the major mode."
  (let ((midfill-command '("program" "serve"))
        (eglot-server-programs '((python-mode "another") (c-mode "third"))))
    (with-temp-buffer
      (setq major-mode 'python-mode)
      (midfill-server-register)
      (should (equal eglot-server-programs
                     '((python-mode midfill-server "program" "serve") (c-mode "third")))))))

(ert-deftest midfill-server-finds-the-program-outside-the-path ()
  "An Emacs with a short variable `exec-path' looks where pipx and uv put programs."
  (let* ((folder (make-temp-file "midfill-test" t))
         (program (expand-file-name "midfill-of-the-test" folder))
         (midfill-server-usual-folders (list folder))
         (midfill-command '("midfill-of-the-test" "serve"))
         (eglot-server-programs nil))
    (unwind-protect
        (with-temp-buffer
          (setq major-mode 'python-mode)
          (should-not (midfill-server-program))
          (write-region "#!/bin/sh\n" nil program nil 'quiet)
          (set-file-modes program #o755)
          (should (equal (midfill-server-program) program))
          (midfill-server-register)
          (should (equal eglot-server-programs `((python-mode midfill-server ,program "serve")))))
      (delete-directory folder t))))

(ert-deftest midfill-server-connects-after-the-command ()
  "A server is started once, after the command that opens a file."
  (should (= 1 (midfill-server-test-connect
                 (setq midfill-server--all nil)
                 (midfill-server-connect-soon (current-buffer))
                 (should (= started 0))
                 (run-hooks 'post-command-hook)
                 (run-hooks 'post-command-hook)))))

(ert-deftest midfill-server-waits-for-one-that-starts ()
  "While a server for the same project and language starts, no other is started."
  (should (= 0 (midfill-server-test-connect
                 (midfill-server-connect-soon (current-buffer))
                 (run-hooks 'post-command-hook)))))

(ert-deftest midfill-server-of-another-language ()
  "A server that starts for another language is not waited for."
  (should (= 1 (midfill-server-test-connect
                 (setq major-mode 'c-mode)
                 (midfill-server-connect-soon (current-buffer))
                 (run-hooks 'post-command-hook)))))

(ert-deftest midfill-server-of-another-project ()
  "A server that starts for another project is not waited for."
  (should (= 1 (midfill-server-test-connect
                 (cl-letf (((symbol-function 'midfill-compat-current-project) (lambda () '(transient . "/there"))))
                   (midfill-server-connect-soon (current-buffer))
                   (run-hooks 'post-command-hook))))))

(ert-deftest midfill-server-that-has-ended ()
  "A server that has ended is not waited for."
  (should (= 1 (midfill-server-test-connect
                 (cl-letf (((symbol-function 'jsonrpc-running-p) #'ignore))
                   (midfill-server-connect-soon (current-buffer))
                   (run-hooks 'post-command-hook))))))

(ert-deftest midfill-server-for-a-killed-buffer ()
  "A buffer that was killed at once starts no server."
  (should (= 0 (midfill-server-test-connect
                 (setq midfill-server--all nil)
                 (let ((buffer (generate-new-buffer "killed")))
                   (midfill-server-connect-soon buffer)
                   (kill-buffer buffer)
                   (run-hooks 'post-command-hook))))))

(ert-deftest midfill-server-missing-program ()
  "A program that is not there is named, and no server is started."
  (should (= 0 (midfill-server-test-connect
                 (let ((midfill-command '("midfill-that-is-not-there")))
                   (should (string-match-p "there is no program .midfill-that-is-not-there." (midfill-ensure)))
                   (should-not midfill-mode)
                   (run-hooks 'post-command-hook))))))

;;;; What it is told

(ert-deftest midfill-server-capabilities ()
  "The server is told about ghost text and actions, beside what Eglot can do."
  (let ((server (midfill-server-test-server)))
    (setf (slot-value server 'project) (cons 'transient temporary-file-directory))
    (let ((capabilities (eglot-client-capabilities server)))
      (should (plist-get capabilities :workspace))
      (should (equal (plist-get (plist-get capabilities :textDocument) :inlineCompletion)
                     '(:dynamicRegistration :json-false)))
      (should (equal (plist-get capabilities :experimental)
                     '(:midfill (:actionText t :input t :commands t)))))))

(ert-deftest midfill-server-initialization-options ()
  "The server gets the user's settings, or an empty object."
  (let ((server (midfill-server-test-server)))
    (let ((midfill-settings '(:maxLines 2)))
      (should (equal (eglot-initialization-options server) '(:maxLines 2))))
    (let ((midfill-settings nil))
      (should (hash-table-empty-p (eglot-initialization-options server))))))

(ert-deftest midfill-server-changed-settings ()
  "Changed settings are sent to each server once; one that was taken back, as null."
  (let ((midfill-settings nil)
        (midfill-server--known-settings nil)
        sent)
    (cl-letf (((symbol-function 'midfill-server-current) (lambda () 'server))
              ((symbol-function 'jsonrpc-notify) (lambda (_server _method params) (push params sent))))
      (customize-set-variable 'midfill-settings '(:maxLines 2))
      (customize-set-variable 'midfill-settings nil)
      (should (equal (reverse sent) '((:settings (:midfill (:maxLines 2)))
                                      (:settings (:midfill (:maxLines nil)))))))))

(ert-deftest midfill-server-none ()
  "Where there is no server, commands say so."
  (with-temp-buffer
    (let ((midfill-server--all nil))
      (should-not (midfill-server-current))
      (should-error (midfill-server-run "midfill.why" [1] #'ignore) :type 'user-error)
      (should-error (midfill-log) :type 'user-error))))

(provide 'midfill-server-test)

;;; midfill-server-test.el ends here
