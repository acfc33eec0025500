;;; midfill-actions-test.el --- Tests of actions and answers -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; In place of a server, the tests note what would be sent to it.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'midfill)

(defvar native-comp-enable-subr-trampolines) ; an Emacs without the native compiler lacks it

(defmacro midfill-actions-test-with-server (sent &rest body)
  "Evaluate BODY with a server; SENT is bound to the commands it was sent."
  (declare (indent 1) (debug t))
  `(let (,sent)
     (cl-letf (((symbol-function 'midfill-server-current) (lambda () 'server))
               ((symbol-function 'midfill-server-run)
                (lambda (command arguments callback)
                  (setq ,sent (append ,sent (list (cons command (append arguments nil)))))
                  (funcall callback "the result"))))
       ,@body)))

(defmacro midfill-actions-test-in-file (text &rest body)
  "Evaluate BODY in a buffer with TEXT that visits a file."
  (declare (indent 1) (debug t))
  `(with-temp-buffer
     (setq buffer-file-name (expand-file-name "midfill-test.py" temporary-file-directory))
     (insert ,text)
     (goto-char (point-min))
     (unwind-protect
         (progn ,@body)
       (set-buffer-modified-p nil))))

(defmacro midfill-actions-test-with-page (&rest body)
  "Evaluate BODY, then remove the page of answers and its window."
  (declare (indent 0) (debug t))
  `(save-window-excursion
     (unwind-protect
         (progn ,@body)
       (when (get-buffer "*midfill answer*")
         (kill-buffer "*midfill answer*")))))

(defun midfill-actions-test-page ()
  "Return the text of the page of answers."
  (with-current-buffer "*midfill answer*"
    (buffer-string)))

;;;; Answers

(ert-deftest midfill-actions-answer-in-pieces ()
  "An answer is displayed while it arrives; dots say that there is more to come."
  (midfill-actions-test-with-page
    (midfill-actions--show-answer 1 "Explain" "It " nil)
    (should (get-buffer-window "*midfill answer*"))
    (should (equal (midfill-actions-test-page) "# Explain …\n\nIt "))
    (midfill-actions--show-answer 1 "Explain" "adds …" nil)
    (should (equal (midfill-actions-test-page) "# Explain …\n\nIt adds …"))
    (midfill-actions--show-answer 1 "Explain" "." t)
    (should (equal (midfill-actions-test-page) "# Explain\n\nIt adds ….")))) ; its own dots stay

(ert-deftest midfill-actions-answer-of-json ()
  "The notification's `done' is a boolean of JSON."
  (midfill-actions-test-with-page
    (let ((server (make-instance 'midfill-server :process (make-pipe-process :name "midfill-test" :noquery t))))
      (eglot-handle-notification server 'midfill/actionText :id 2 :title "Ask" :text "a" :done :json-false)
      (should (equal (midfill-actions-test-page) "# Ask …\n\na"))
      (eglot-handle-notification server 'midfill/actionText :id 2 :title "Ask" :text "b" :done t)
      (should (equal (midfill-actions-test-page) "# Ask\n\nab")))))

(ert-deftest midfill-actions-answer-replaces-another ()
  "A new answer takes the page of the one before."
  (midfill-actions-test-with-page
    (midfill-actions--show-answer 1 "Explain" "old" t)
    (midfill-actions--show-answer 2 "Ask" "new" t)
    (should (equal (midfill-actions-test-page) "# Ask\n\nnew"))))

(ert-deftest midfill-actions-answer-of-killed-page ()
  "If the page was killed, the rest of the answer gets a new one."
  (midfill-actions-test-with-page
    (midfill-actions--show-answer 1 "Explain" "one" nil)
    (kill-buffer "*midfill answer*")
    (midfill-actions--show-answer 1 "Explain" "two" t)
    (should (equal (midfill-actions-test-page) "# Explain\n\ntwo"))))

(ert-deftest midfill-actions-answer-keeps-point ()
  "Who reads an answer is not moved by what is added to it."
  (midfill-actions-test-with-page
    (midfill-actions--show-answer 1 "Explain" "one\n" nil)
    (with-current-buffer "*midfill answer*"
      (goto-char 3)
      (midfill-actions--show-answer 1 "Explain" "two\n" nil)
      (should (= (point) 3)))))

(ert-deftest midfill-actions-answer-mode ()
  "An answer can be read only, and `a' asks on."
  (midfill-actions-test-with-page
    (midfill-actions--show-answer 1 "Explain" "one" t)
    (with-current-buffer "*midfill answer*"
      (should buffer-read-only)
      (should (eq major-mode 'midfill-answer-mode))
      (should (eq (key-binding "a") #'midfill-ask))
      (should (eq (key-binding "q") #'quit-window)))))

(ert-deftest midfill-actions-page-killed ()
  "Text for a page that was killed is dropped."
  (let ((page (midfill-page "*midfill test*")))
    (kill-buffer page)
    (midfill-page-append page "text")
    (should-not (get-buffer "*midfill test*"))))

(ert-deftest midfill-actions-result-is-shown ()
  "The result of a command is displayed, without that of the last time."
  (save-window-excursion
    (unwind-protect
        (midfill-actions-test-with-server sent
          (midfill-why 3)
          (midfill-why 1)
          (should (equal sent '(("midfill.why" 3) ("midfill.why" 1))))
          (should (get-buffer-window "*midfill why*"))
          (with-current-buffer "*midfill why*"
            (should (equal (buffer-string) "the result"))))
      (kill-buffer "*midfill why*"))))

;;;; Actions

(ert-deftest midfill-actions-explain-line-of-point ()
  "Without a region, an action is about the place of point."
  (midfill-actions-test-with-server sent
    (midfill-actions-test-in-file "one\ntwo\n"
      (forward-line)
      (midfill-explain)
      (pcase-let ((`(("midfill.do" ,argument)) sent))
        (should (equal (plist-get argument :action) "explain"))
        (should (string-match-p "\\`file:///.*/midfill-test\\.py\\'" (plist-get argument :uri)))
        (should (equal (plist-get argument :range)
                       '(:start (:line 1 :character 0) :end (:line 1 :character 0))))))))

(ert-deftest midfill-actions-fix-region ()
  "With a region, an action is about that; the error is sent as a message."
  (midfill-actions-test-with-server sent
    (midfill-actions-test-in-file "one\ntwo\n"
      (transient-mark-mode)
      (set-mark (point))
      (goto-char 6)
      (activate-mark)
      (midfill-do "fix" "it fails")
      (pcase-let ((`(("midfill.do" ,argument)) sent))
        (should (equal (plist-get argument :message) "it fails"))
        (should (equal (plist-get argument :range)
                       '(:start (:line 0 :character 0) :end (:line 1 :character 1))))))))

(ert-deftest midfill-actions-of-a-file ()
  "An action on a whole file is sent without a range."
  (midfill-actions-test-with-server sent
    (midfill-actions-test-in-file "one\n"
      (midfill-do "review")
      (should (equal (caar sent) "midfill.do"))
      (should-not (plist-member (cadar sent) :range)))))

(ert-deftest midfill-actions-ask ()
  "A question is sent with the place it is about."
  (midfill-actions-test-with-server sent
    (midfill-actions-test-in-file "one\n"
      (midfill-ask "Why?")
      (pcase-let ((`(("midfill.ask" ,argument)) sent))
        (should (equal (plist-get argument :text) "Why?"))
        (should (plist-get argument :uri))))))

(ert-deftest midfill-actions-ask-on ()
  "Where there is no server, as in an answer, a question is sent without a place."
  (midfill-actions-test-with-server sent
    (cl-letf (((symbol-function 'midfill-server-current) #'ignore))
      (with-temp-buffer
        (midfill-ask "Why?")
        (should (equal sent '(("midfill.ask" (:text "Why?")))))))))

(ert-deftest midfill-actions-from-the-menu ()
  "Both of Eglot's ways to run an action's command send it as it is."
  (midfill-actions-test-with-server sent
    (let ((server (make-instance 'midfill-server :process (make-pipe-process :name "midfill-test" :noquery t))))
      (eglot-execute server '(:title "Tests" :command "midfill.do" :arguments [(:action "tests")]))
      (with-suppressed-warnings ((obsolete eglot-execute-command))
        (eglot-execute-command server 'midfill.do [(:action "types")]))
      (should (equal sent '(("midfill.do" (:action "tests")) ("midfill.do" (:action "types"))))))))

(ert-deftest midfill-actions-with-words ()
  "An action that needs words asks the user for them; without any, nothing is done."
  (midfill-actions-test-with-server sent
    (let ((native-comp-enable-subr-trampolines nil)) ; `read-string' is a primitive
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "")))
        (midfill-actions--execute "midfill.input" [(:action "write")]))
      (should-not sent)
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) "a loop")))
        (midfill-actions--execute "midfill.input" [(:action "write")])))
    (should (equal sent '(("midfill.do" (:action "write" :instruction "a loop")))))))

(provide 'midfill-actions-test)

;;; midfill-actions-test.el ends here
