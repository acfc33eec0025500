;;; midfill-compat-test.el --- Tests of what needs private parts of Eglot -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; These fail when a new Eglot has renamed something.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'midfill)

(defmacro midfill-compat-test-in (text &rest body)
  "Evaluate BODY in a buffer with TEXT that visits a file."
  (declare (indent 1) (debug t))
  `(with-temp-buffer
     (setq buffer-file-name (expand-file-name "midfill test.py" temporary-file-directory))
     (insert ,text)
     (unwind-protect
         (progn ,@body)
       (set-buffer-modified-p nil))))

(defun midfill-compat-test-server ()
  "Return a server object that is connected to nothing."
  (make-instance 'midfill-server :process (make-pipe-process :name "midfill-test" :noquery t)))

(ert-deftest midfill-compat-position-and-back ()
  "Each place in a text has a position, which leads back to it."
  (midfill-compat-test-in "eins\n\nzwei drei\n"
    (should (equal (midfill-compat-position 8) '(:line 2 :character 1)))
    (cl-loop for point from (point-min) to (point-max)
             do (should (= (midfill-compat-point (midfill-compat-position point)) point)))))

(ert-deftest midfill-compat-position-of-wide-characters ()
  "Without another agreement, a character outside the basic plane counts as two."
  (midfill-compat-test-in "ä😀b"
    (should (equal (midfill-compat-position (point-max)) '(:line 0 :character 4)))
    (should (= (midfill-compat-point '(:line 0 :character 3)) 3))))

(ert-deftest midfill-compat-document-is-the-file ()
  "A document is identified by its file's address."
  (midfill-compat-test-in ""
    (should (string-match-p "\\`file:///.*/midfill%20test\\.py\\'"
                            (plist-get (midfill-compat-document) :uri)))))

(ert-deftest midfill-compat-document-and-position-of-point ()
  "A place is the document and the position of point."
  (midfill-compat-test-in "one\ntwo"
    (let ((place (midfill-compat-document-and-position)))
      (should (equal (plist-get place :textDocument) (midfill-compat-document)))
      (should (equal (plist-get place :position) '(:line 1 :character 3))))))

(ert-deftest midfill-compat-project-of-a-file ()
  "Each file has a project, even one that is in no version control."
  (midfill-compat-test-in ""
    (setq default-directory temporary-file-directory)
    (should (midfill-compat-current-project))))

(ert-deftest midfill-compat-modes-and-project-of-a-server ()
  "A server has the project that Eglot gave it, and manages no mode before that."
  (let ((server (midfill-compat-test-server)))
    (should-not (midfill-compat-server-modes server))
    (should-not (midfill-compat-server-project server))
    (setf (slot-value server 'project) 'project)
    (should (eq (midfill-compat-server-project server) 'project))))

(provide 'midfill-compat-test)

;;; midfill-compat-test.el ends here
