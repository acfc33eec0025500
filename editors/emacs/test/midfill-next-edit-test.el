;;; midfill-next-edit-test.el --- Tests of the next edit -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; In place of a server, the tests note what would be sent to it.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'jsonrpc)
(require 'midfill)
(require 'seq)

(defvar midfill-next-edit-test-sent nil "What was sent, last first: method and parameters.")
(defvar midfill-next-edit-test-answer nil "The function that takes the answer of the last request for an edit.")

(defun midfill-next-edit-test-document ()
  "Return the identifier and the version of the current buffer."
  (list :uri (buffer-name) :version (buffer-chars-modified-tick)))

(defmacro midfill-next-edit-test-in (text &rest body)
  "Evaluate BODY in a buffer of the selected window that has TEXT, with a server."
  (declare (indent 1) (debug t))
  `(save-window-excursion
     (with-temp-buffer
       (switch-to-buffer (current-buffer))
       (buffer-enable-undo)
       (insert ,text)
       (let ((midfill-next-edit-test-sent nil)
             (midfill-next-edit-test-answer nil)
             (midfill-request-paused nil)
             (midfill-next-edit--focused (current-buffer))
             (midfill-server--sent 0)
             (midfill-settings nil))
         (cl-letf (((symbol-function 'midfill-server-current) (lambda () (and midfill-mode 'server)))
                   ((symbol-function 'midfill-compat-send-changes) #'ignore)
                   ((symbol-function 'midfill-compat-document) #'midfill-next-edit-test-document)
                   ((symbol-function 'midfill-compat-versioned-document) #'midfill-next-edit-test-document)
                   ((symbol-function 'midfill-compat-document-and-position) #'ignore)
                   ((symbol-function 'midfill-compat-position) (lambda (point) (list :at point)))
                   ((symbol-function 'midfill-compat-point) (lambda (position) (plist-get position :at)))
                   ((symbol-function 'jsonrpc-running-p) #'always)
                   ((symbol-function 'jsonrpc-notify)
                    (lambda (_server method params) (push (list method params) midfill-next-edit-test-sent)))
                   ((symbol-function 'jsonrpc-async-request)
                    (lambda (_server method params &rest options)
                      (push (list method params) midfill-next-edit-test-sent)
                      (cl-incf midfill-server--sent)
                      (when (eq method :textDocument/copilotInlineEdit)
                        (setq midfill-next-edit-test-answer (plist-get options :success-fn))))))
           (midfill-mode)
           (midfill-next-edit-test-command #'ignore)
           (setq midfill-next-edit-test-sent nil)
           (unwind-protect
               (progn ,@body)
             (midfill-next-edit-clear)
             (midfill-mode -1)))))))

(defun midfill-next-edit-test-command (command &rest arguments)
  "Call COMMAND with ARGUMENTS as the user would."
  (apply command arguments)
  (run-hooks 'post-command-hook))

(defun midfill-next-edit-test-pause ()
  "Let the time pass after which the next edit is asked for."
  (when midfill-next-edit--timer
    (apply (timer--function midfill-next-edit--timer) (timer--args midfill-next-edit--timer))))

(defun midfill-next-edit-test-edit (&rest edits)
  "Return the server's answer with EDITS of the current buffer.
Each is a list: start, end and new text."
  (list :edits
        (vector
         (list :text (format "%S" edits)
               :range '(:start (:at 1) :end (:at 1))
               :textDocument (midfill-next-edit-test-document)
               :why "renamed"
               :command '(:command "accepted" :arguments [7])
               :changes (vconcat (mapcar (pcase-lambda (`(,start ,end ,new))
                                           (list :range (list :start (list :at start) :end (list :at end))
                                                 :newText new))
                                         edits))))))

(defun midfill-next-edit-test-offer (&rest edits)
  "Type a space at the end, and have the server answer with EDITS."
  (goto-char (point-max))
  (midfill-next-edit-test-command #'insert " ")
  (midfill-next-edit-test-pause)
  (funcall midfill-next-edit-test-answer (apply #'midfill-next-edit-test-edit edits)))

(defun midfill-next-edit-test-methods ()
  "Return the methods that were sent, first first, without those of ghost text."
  (remq :textDocument/inlineCompletion (mapcar #'car (reverse midfill-next-edit-test-sent))))

(defun midfill-next-edit-test-shown ()
  "Return the texts that are shown as added."
  (mapcar (lambda (overlay) (substring-no-properties (overlay-get overlay 'after-string)))
          (sort (seq-filter (lambda (overlay) (eq (overlay-get overlay 'face) 'midfill-removed))
                            (overlays-in (point-min) (point-max)))
                (lambda (one other) (< (overlay-start one) (overlay-start other))))))

;;;; Asking

(ert-deftest midfill-next-edit-asked-after-a-change ()
  "After a change and a pause the edit is asked for, shown, and the server is told."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (should (equal (midfill-next-edit-test-methods)
                   '(:textDocument/copilotInlineEdit :textDocument/didShowInlineEdit)))
    (should (equal (midfill-next-edit-test-shown) '("right")))
    (should (equal (midfill-offer-lighter) " (edit: line 1)"))))

(ert-deftest midfill-next-edit-request ()
  "The request has the document with its version, the place, and what Flymake has found."
  (midfill-next-edit-test-in "x"
    (cl-letf (((symbol-function 'flymake-diagnostics)
               (lambda (&rest _)
                 (list (flymake-make-diagnostic (current-buffer) 1 2 :error "bad"))))
              (flymake-mode t))
      (midfill-next-edit-test-command #'insert "y")
      (midfill-next-edit-test-pause))
    (should (equal (assq :textDocument/copilotInlineEdit midfill-next-edit-test-sent)
                   `(:textDocument/copilotInlineEdit
                     (:textDocument ,(midfill-next-edit-test-document)
                      :position (:at 3)
                      :context (:triggerKind 2 :diagnostics [(:range (:start (:at 1) :end (:at 1)) :message "bad")])))))))

(ert-deftest midfill-next-edit-not-asked-after-moving ()
  "A command that changes no text asks for nothing, and keeps what is shown."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-command #'goto-char 1)
    (should-not midfill-next-edit--timer)
    (midfill-next-edit-test-offer '(1 5 "right"))
    (midfill-next-edit-test-command #'goto-char 2)
    (should (equal (midfill-next-edit-test-shown) '("right")))))

(ert-deftest midfill-next-edit-superseded ()
  "A change cancels the request, whose answer is not shown."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-command #'insert "y")
    (midfill-next-edit-test-pause)
    (midfill-next-edit-test-command #'insert "z")
    (should (memq :$/cancelRequest (midfill-next-edit-test-methods)))
    (funcall midfill-next-edit-test-answer (midfill-next-edit-test-edit '(1 5 "right")))
    (should-not (midfill-next-edit-test-shown))))

(ert-deftest midfill-next-edit-of-another-version ()
  "An edit for another version of the document is not shown."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-command #'insert "y")
    (midfill-next-edit-test-pause)
    (let ((answer (midfill-next-edit-test-edit '(1 5 "right"))))
      (save-excursion (insert "z"))
      (funcall midfill-next-edit-test-answer answer))
    (should-not (midfill-next-edit-test-shown))))

(ert-deftest midfill-next-edit-turned-off ()
  "With the setting off, while paused, and in a text to read, nothing is asked."
  (midfill-next-edit-test-in "x"
    (let ((midfill-settings '(:nextEdit :json-false)))
      (midfill-next-edit-test-command #'insert "y"))
    (let ((midfill-request-paused t))
      (midfill-next-edit-test-command #'insert "y"))
    (let ((buffer-read-only t)
          (inhibit-read-only t))
      (midfill-next-edit-test-command #'insert "y"))
    (should-not midfill-next-edit--timer)))

(ert-deftest midfill-next-edit-toggles ()
  "The command turns the setting on, and then off."
  (midfill-next-edit-test-in "x"
    (midfill-next-edit-toggle)
    (should (equal midfill-settings '(:nextEdit t)))
    (midfill-next-edit-toggle)
    (should (equal midfill-settings '(:nextEdit :json-false)))))

(ert-deftest midfill-next-edit-asked-by-command ()
  "Who asks for an edit is told if there is none."
  (midfill-next-edit-test-in "x"
    (midfill-next-edit)
    (funcall midfill-next-edit-test-answer '(:edits []))
    (with-current-buffer (messages-buffer)
      (goto-char (point-max))
      (should (search-backward "There is no next edit" (line-beginning-position 0) t)))))

;;;; Keys

(ert-deftest midfill-next-edit-tab-jumps-and-applies ()
  "The first TAB goes there, the second applies and asks for the next one."
  (midfill-next-edit-test-in "left\nx"
    (let ((tab (kbd "TAB")))
      (should-not (eq (key-binding tab) #'midfill-next-edit-accept))
      (midfill-next-edit-test-offer '(1 5 "right"))
      (should (eq (key-binding tab) #'midfill-next-edit-accept))
      (midfill-next-edit-test-command (key-binding tab))
      (should (= (point) 1))
      (should (equal (buffer-string) "left\nx "))
      (setq midfill-next-edit-test-sent nil)
      (midfill-next-edit-test-command (key-binding tab))
      (should (equal (buffer-string) "right\nx "))
      (should-not (eq (key-binding tab) #'midfill-next-edit-accept))
      (should (equal (reverse midfill-next-edit-test-sent)
                     `((:workspace/executeCommand (:command "accepted" :arguments [7]))
                       (:textDocument/copilotInlineEdit
                        (:textDocument ,(midfill-next-edit-test-document)
                         :position (:at 6) :context (:triggerKind 2 :diagnostics [])))))))))

(ert-deftest midfill-next-edit-is-one-step-of-undo ()
  "One undo takes back an applied edit."
  (midfill-next-edit-test-in "left\nleft\nx"
    (midfill-next-edit-test-offer '(1 5 "right") '(6 10 "right"))
    (goto-char 1)
    (midfill-next-edit-accept)
    (should (equal (buffer-string) "right\nright\nx "))
    (undo-boundary)
    (undo-only)
    (should (equal (buffer-string) "left\nleft\nx "))))

(ert-deftest midfill-next-edit-dismissed ()
  "The server learns which edit was dismissed, and whether one is asked for."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (should (eq (key-binding (kbd "C-g")) #'midfill-next-edit-dismiss))
    (midfill-next-edit-test-command #'midfill-next-edit-dismiss)
    (should-not (midfill-next-edit-test-shown))
    (should (equal (midfill-offer-lighter) ""))
    (should (eq (key-binding (kbd "C-g")) #'keyboard-quit))
    (should (equal (car midfill-next-edit-test-sent)
                   '(:workspace/executeCommand
                     (:command "midfill.nextEditDismissed" :arguments [7]))))
    (midfill-next-edit)
    (should (eq (plist-get (plist-get (cadar midfill-next-edit-test-sent) :context) :triggerKind) 1))
    (funcall midfill-next-edit-test-answer (midfill-next-edit-test-edit '(1 5 "right")))
    (should (equal (midfill-next-edit-test-shown) '("right")))))

(ert-deftest midfill-next-edit-nothing-to-apply ()
  "Without an edit the commands say so, or do nothing."
  (midfill-next-edit-test-in "x"
    (should-error (midfill-next-edit-accept) :type 'user-error)
    (midfill-next-edit-dismiss)))

;;;; Changes while it is shown

(ert-deftest midfill-next-edit-typed-along ()
  "Who types the edit keeps it, and asks for nothing; the rest can be applied."
  (midfill-next-edit-test-in "left\nleft\nx"
    (midfill-next-edit-test-offer '(1 5 "right") '(6 10 "right"))
    (setq midfill-next-edit-test-sent nil)
    (goto-char 1)
    (midfill-next-edit-test-command #'insert "ri")
    (should-not midfill-next-edit--timer)
    (should (equal (midfill-next-edit-test-shown) '("ght" "right")))
    (midfill-next-edit-accept)
    (should (equal (buffer-string) "right\nright\nx "))))

(ert-deftest midfill-next-edit-dropped-by-another-change ()
  "What is typed elsewhere, or just before the edit, drops it."
  (dolist (place '(2 7 11))
    (midfill-next-edit-test-in "\nleft\nleft\n"
      (midfill-next-edit-test-offer '(2 6 "right") '(7 11 "right"))
      (goto-char place)
      (midfill-next-edit-test-command #'delete-char (if (= place 11) 1 -1))
      (should-not (midfill-next-edit-test-shown))
      (should-error (midfill-next-edit-accept) :type 'user-error))))

(ert-deftest midfill-next-edit-dropped-by-a-hidden-change ()
  "A change that no hook was told of drops the edit, too."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (let ((inhibit-modification-hooks t))
      (insert "y"))
    (should-error (midfill-next-edit-accept) :type 'user-error)
    (should (equal (buffer-string) "left\nx y"))))

(ert-deftest midfill-next-edit-paused ()
  "Pausing takes it away."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (midfill-pause)
    (should-not (midfill-next-edit-test-shown))))

;;;; Beside ghost text

(ert-deftest midfill-next-edit-gives-way-to-ghost-text ()
  "At the place of ghost text the edit is not shown until that is gone."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(8 8 "right"))
    (midfill-ghost-show '((:insertText "ghost")) 0)
    (should-not (midfill-next-edit-test-shown))
    (should (eq (key-binding (kbd "TAB")) #'midfill-accept))
    (midfill-next-edit-test-command #'midfill-dismiss)
    (should (equal (midfill-next-edit-test-shown) '("right")))
    (should (eq (key-binding (kbd "TAB")) #'midfill-next-edit-accept))))

(ert-deftest midfill-next-edit-elsewhere-stays-beside-ghost-text ()
  "Elsewhere it stays, and keys accept the ghost text first."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (midfill-ghost-show '((:insertText "ghost")) 0)
    (should (equal (midfill-next-edit-test-shown) '("right")))
    (should (eq (key-binding (kbd "TAB")) #'midfill-accept))))

(ert-deftest midfill-next-edit-applied-brings-no-ghost-text ()
  "After an edit was applied, no ghost text is requested."
  (midfill-next-edit-test-in "left\nx"
    (midfill-next-edit-test-offer '(1 5 "right"))
    (goto-char 1)
    (midfill-next-edit-test-command #'midfill-next-edit-accept)
    (should-not midfill-request--timer)))

;;;; Other buffers

(ert-deftest midfill-next-edit-in-another-buffer ()
  "An edit of another buffer is announced with its name; TAB goes there, and applies it."
  (midfill-next-edit-test-in "x"
    (let ((here (current-buffer)))
      (with-temp-buffer
        (rename-buffer "other.py" t)
        (insert "one\nleft\n")
        (setq midfill-mode t)
        (let ((other (current-buffer))
              (answer (midfill-next-edit-test-edit '(5 9 "right"))))
          (with-current-buffer here
            (midfill-next-edit-test-command #'insert "y")
            (midfill-next-edit-test-pause)
            (funcall midfill-next-edit-test-answer answer)
            (should (equal (midfill-offer-lighter) " (edit: other.py:2)"))
            (midfill-next-edit-accept)
            (should (eq (window-buffer) other)))
          (with-current-buffer other
            (should (= (point) 5))
            (midfill-next-edit-accept)
            (should (equal (buffer-string) "one\nright\n"))))))))

(ert-deftest midfill-next-edit-of-a-killed-buffer ()
  "An edit whose buffer was killed is gone."
  (midfill-next-edit-test-in "x"
    (with-temp-buffer
      (insert "left")
      (setq midfill-offer--shown
            (make-midfill-offer :buffer (current-buffer) :difference (midfill-difference '((1 5 "right"))))))
    (should-not (midfill-offer-here))))

(ert-deftest midfill-next-edit-focus ()
  "The server is told once that the user has come to another buffer."
  (midfill-next-edit-test-in "x"
    (setq midfill-next-edit--focused nil)
    (midfill-next-edit-test-command #'ignore)
    (midfill-next-edit-test-command #'ignore)
    (should (equal (midfill-next-edit-test-methods) '(:textDocument/didFocus)))))

(provide 'midfill-next-edit-test)

;;; midfill-next-edit-test.el ends here
