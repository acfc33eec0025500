;;; midfill-request-test.el --- Tests of when suggestions are requested -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; In place of a server, the tests note what would be sent to it.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'jsonrpc)
(require 'midfill)

(defvar midfill-request-test-sent nil "What was sent, last first: method and parameters.")
(defvar midfill-request-test-answer nil "The function that takes the answer of the last request.")

(defmacro midfill-request-test-with (&rest body)
  "Evaluate BODY in an empty buffer of the selected window, with a server."
  (declare (indent 0) (debug t))
  `(save-window-excursion
     (with-temp-buffer
       (switch-to-buffer (current-buffer))
       (let ((midfill-request-test-sent nil)
             (midfill-request-test-answer nil)
             (midfill-request-paused nil)
             (midfill-server--sent 0))
         (cl-letf (((symbol-function 'midfill-server-current) (lambda () 'server))
                   ((symbol-function 'midfill-compat-send-changes) #'ignore)
                   ((symbol-function 'jsonrpc-running-p) #'always)
                   ((symbol-function 'midfill-compat-document-and-position) (lambda () '(:here t)))
                   ((symbol-function 'jsonrpc-notify)
                    (lambda (_server method params) (push (list method params) midfill-request-test-sent)))
                   ((symbol-function 'jsonrpc-async-request)
                    (lambda (_server method params &rest options)
                      (push (list method params) midfill-request-test-sent)
                      (cl-incf midfill-server--sent)
                      (setq midfill-request-test-answer (plist-get options :success-fn)))))
           (midfill-mode)
           (midfill-request-follow)
           (unwind-protect
               (progn ,@body)
             (midfill-mode -1)))))))

(defun midfill-request-test-type (text)
  "Type TEXT, and let the time pass after which a suggestion is requested."
  (insert text)
  (midfill-request-follow)
  (when midfill-request--timer
    (apply (timer--function midfill-request--timer) (timer--args midfill-request--timer))))

(ert-deftest midfill-request-after-typing ()
  "Typing makes an automatic request, and the answer is shown."
  (midfill-request-test-with
    (midfill-request-test-type "a = ")
    (should (equal midfill-request-test-sent
                   '((:textDocument/inlineCompletion (:here t :context (:triggerKind 2))))))
    (funcall midfill-request-test-answer '(:items [(:insertText "1")]))
    (should (equal (midfill-ghost-remainder) "1"))))

(ert-deftest midfill-request-answer-as-vector ()
  "The answer may also be the items themselves; null is none."
  (midfill-request-test-with
    (midfill-request-test-type "a = ")
    (funcall midfill-request-test-answer [(:insertText "1")])
    (should (equal (midfill-ghost-remainder) "1"))
    (midfill-request-test-type "2")
    (funcall midfill-request-test-answer nil)
    (should-not (midfill-ghost-remainder))))

(ert-deftest midfill-request-not-after-moving ()
  "A command that changes no text makes no request."
  (midfill-request-test-with
    (midfill-request-test-type "a = ")
    (setq midfill-request-test-sent nil)
    (backward-char)
    (midfill-request-follow)
    (should-not midfill-request--timer)
    (should (equal midfill-request-test-sent '((:$/cancelRequest (:id 1)))))))

(ert-deftest midfill-request-type-through ()
  "Typing what is suggested makes no request."
  (midfill-request-test-with
    (midfill-request-test-type "a = ")
    (funcall midfill-request-test-answer [(:insertText "123")])
    (setq midfill-request-test-sent nil)
    (midfill-request-test-type "12")
    (should-not midfill-request-test-sent)
    (should (equal (midfill-ghost-remainder) "3"))))

(ert-deftest midfill-request-superseded ()
  "A key cancels the request before it, whose answer is not shown."
  (midfill-request-test-with
    (midfill-request-test-type "a")
    (let ((late midfill-request-test-answer))
      (midfill-request-test-type "b")
      (should (equal (mapcar #'car (reverse midfill-request-test-sent))
                     '(:textDocument/inlineCompletion :$/cancelRequest :textDocument/inlineCompletion)))
      (should (equal (nth 1 midfill-request-test-sent) '(:$/cancelRequest (:id 1))))
      (funcall late [(:insertText "old")])
      (should-not (midfill-ghost-remainder))
      (funcall midfill-request-test-answer [(:insertText "new")])
      (should (equal (midfill-ghost-remainder) "new")))))

(ert-deftest midfill-request-alternatives ()
  "With one suggestion, the next is an invoked request; with more, it is there already."
  (midfill-request-test-with
    (midfill-request-test-type "a")
    (funcall midfill-request-test-answer [(:insertText "1")])
    (midfill-next)
    (should (equal (car midfill-request-test-sent)
                   '(:textDocument/inlineCompletion (:here t :context (:triggerKind 1)))))
    (funcall midfill-request-test-answer [(:insertText "1") (:insertText "2")])
    (should (equal (midfill-ghost-remainder) "2"))
    (setq midfill-request-test-sent nil)
    (midfill-previous)
    (should-not midfill-request-test-sent)
    (should (equal (midfill-ghost-remainder) "1"))))

(ert-deftest midfill-request-no-alternatives ()
  "If there is still only one suggestion, that one is shown."
  (midfill-request-test-with
    (midfill-request-test-type "a")
    (funcall midfill-request-test-answer [(:insertText "1")])
    (midfill-next)
    (funcall midfill-request-test-answer [(:insertText "1")])
    (should (equal (midfill-ghost-remainder) "1"))))

(ert-deftest midfill-request-paused ()
  "Pausing hides the suggestion and stops requests, until they are resumed."
  (midfill-request-test-with
    (midfill-request-test-type "a")
    (funcall midfill-request-test-answer [(:insertText "1")])
    (midfill-pause)
    (should-not (midfill-ghost-remainder))
    (setq midfill-request-test-sent nil)
    (midfill-request-test-type "b")
    (should-not midfill-request-test-sent)
    (midfill-resume)
    (midfill-request-test-type "c")
    (should (= (length midfill-request-test-sent) 1))))

(ert-deftest midfill-request-read-only ()
  "A buffer that cannot be typed into makes no request."
  (midfill-request-test-with
    (setq buffer-read-only t)
    (let ((inhibit-read-only t))
      (midfill-request-test-type "a"))
    (should-not midfill-request-test-sent)))

(ert-deftest midfill-request-repeated-for-a-late-server ()
  "What was typed before there was a server is requested once there is one."
  (midfill-request-test-with
    (cl-letf (((symbol-function 'midfill-server-current) #'ignore))
      (midfill-request-test-type "a"))
    (should-not midfill-request-test-sent)
    (midfill-request-repeat)
    (apply (timer--function midfill-request--timer) (timer--args midfill-request--timer))
    (should (= (length midfill-request-test-sent) 1))
    (funcall midfill-request-test-answer [(:insertText "1")])
    (should (equal (midfill-ghost-remainder) "1"))
    (midfill-request-repeat)
    (should-not midfill-request--timer)))

(ert-deftest midfill-request-mode-turned-off ()
  "An answer that comes when the mode is off is not shown."
  (midfill-request-test-with
    (midfill-request-test-type "a")
    (midfill-mode -1)
    (funcall midfill-request-test-answer [(:insertText "1")])
    (should-not (midfill-ghost-remainder))))

(provide 'midfill-request-test)

;;; midfill-request-test.el ends here
