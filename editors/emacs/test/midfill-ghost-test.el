;;; midfill-ghost-test.el --- Tests of ghost text -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; No test here needs a server or a screen.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'midfill)

(defmacro midfill-ghost-test-in (text &rest body)
  "Evaluate BODY in a buffer that has TEXT, with point where TEXT has a bar."
  (declare (indent 1) (debug t))
  `(with-temp-buffer
     (insert ,text)
     (goto-char (point-min))
     (search-forward "|")
     (delete-char -1)
     ,@body))

(defun midfill-ghost-test-buffer ()
  "Return the buffer's text, with a bar at point."
  (concat (buffer-substring-no-properties (point-min) (point))
          "|"
          (buffer-substring-no-properties (point) (point-max))))

(defun midfill-ghost-test-screen ()
  "Return the text as the user sees it: with brackets around ghost text."
  (with-output-to-string
    (cl-flet ((write-ghost (overlay property)
                (when-let* ((ghost (overlay-get overlay property)))
                  (should (eq (get-text-property 0 'face ghost) 'midfill-ghost))
                  (should (get-text-property 0 'cursor ghost))
                  (princ (format "[%s]" (substring-no-properties ghost))))))
      (let ((place (point-min)))
        (dolist (overlay (overlays-in (point-min) (point-max)))
          (princ (buffer-substring-no-properties place (overlay-start overlay)))
          (write-ghost overlay 'before-string)
          (unless (equal (overlay-get overlay 'display) "")
            (princ (buffer-substring-no-properties (overlay-start overlay) (overlay-end overlay))))
          (write-ghost overlay 'after-string)
          (setq place (overlay-end overlay)))
        (princ (buffer-substring-no-properties place (point-max)))))))

(defun midfill-ghost-test-item (text &optional start end)
  "Return an item with TEXT for the characters from START to END of line 0."
  (append (list :insertText text)
          (when start
            (list :range (list :start (list :line 0 :character start)
                               :end (list :line 0 :character end))))))

;;;; Showing

(ert-deftest midfill-ghost-shows-behind-point ()
  "The ghost text is behind point; the buffer does not change."
  (midfill-ghost-test-in "a = |\nb"
    (midfill-ghost-show (list (midfill-ghost-test-item "1 + 2")) 0)
    (should (equal (midfill-ghost-test-screen) "a = [1 + 2]\nb"))
    (should (equal (midfill-ghost-test-buffer) "a = |\nb"))))

(ert-deftest midfill-ghost-shows-a-string-value ()
  "The text of an item may also be an object with a value."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-show (list '(:insertText (:kind "snippet" :value "bc"))) 0)
    (should (equal (midfill-ghost-remainder) "bc"))))

(ert-deftest midfill-ghost-range-before-point ()
  "Text before point that is in the item's range is not shown twice."
  (midfill-ghost-test-in "pri|"
    (midfill-ghost-show (list (midfill-ghost-test-item "print(x)" 0 3)) 0)
    (should (equal (midfill-ghost-test-screen) "pri[nt(x)]"))))

(ert-deftest midfill-ghost-range-behind-point ()
  "Text behind point that is in the item's range is not to be seen."
  (midfill-ghost-test-in "f(|)\nnext"
    (midfill-ghost-show (list (midfill-ghost-test-item "1, 2)" 2 3)) 0)
    (should (equal (midfill-ghost-test-screen) "f([1, 2)]\nnext"))
    (should (equal (midfill-ghost-test-buffer) "f(|)\nnext"))))

(ert-deftest midfill-ghost-range-stays-on-its-line ()
  "An item that replaces more than the line hides no other line."
  (midfill-ghost-test-in "f(|)\nnext"
    (midfill-ghost-show (list '(:insertText "1)" :range (:start (:line 0 :character 2)
                                                         :end (:line 1 :character 2))))
                        0)
    (should (equal (midfill-ghost-test-screen) "f([1)]\nnext"))))

(ert-deftest midfill-ghost-empty-range ()
  "An item whose range is empty only inserts."
  (midfill-ghost-test-in "f(|)"
    (midfill-ghost-show (list (midfill-ghost-test-item "1" 2 2)) 0)
    (should (equal (midfill-ghost-test-screen) "f([1])"))
    (midfill-accept)
    (should (equal (midfill-ghost-test-buffer) "f(1|)"))))

(ert-deftest midfill-ghost-no-text ()
  "An item without text shows nothing."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-show (list (midfill-ghost-test-item "")) 0)
    (should-not (midfill-ghost-remainder))
    (should-not (overlays-in (point-min) (point-max)))))

(ert-deftest midfill-ghost-equal-to-text-before-point ()
  "An item that is already in the buffer shows nothing."
  (midfill-ghost-test-in "print|"
    (midfill-ghost-show (list (midfill-ghost-test-item "print" 0 5)) 0)
    (should-not (midfill-ghost-remainder))
    (should-not (overlays-in (point-min) (point-max)))))

(ert-deftest midfill-ghost-equal-to-text-behind-point ()
  "An item that is equal to what it replaces can be accepted."
  (midfill-ghost-test-in "f(|)"
    (midfill-ghost-show (list (midfill-ghost-test-item ")" 2 3)) 0)
    (should (equal (midfill-ghost-test-screen) "f([)]"))
    (midfill-accept)
    (should (equal (midfill-ghost-test-buffer) "f()|"))))

(ert-deftest midfill-ghost-does-not-fit ()
  "An item that does not go on from the text before point shows nothing."
  (midfill-ghost-test-in "pru|"
    (midfill-ghost-show (list (midfill-ghost-test-item "print" 0 3)) 0)
    (should-not (overlays-in (point-min) (point-max)))))

(ert-deftest midfill-ghost-hides ()
  "A hidden suggestion leaves neither an overlay nor something to accept."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-show (list (midfill-ghost-test-item "bc")) 0)
    (midfill-ghost-hide)
    (should (equal (midfill-ghost-test-screen) "a"))
    (should (= (midfill-ghost-count) 0))
    (should-error (midfill-accept) :type 'user-error)))

(ert-deftest midfill-ghost-hides-nothing ()
  "To hide where nothing is shown does no harm."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-hide)
    (should (equal (midfill-ghost-test-buffer) "a|"))))

;;;; Typing through

(ert-deftest midfill-ghost-type-through ()
  "Who types what is suggested sees the rest."
  (midfill-ghost-test-in "a = |\nb"
    (midfill-ghost-show (list (midfill-ghost-test-item "1 + 2")) 0)
    (insert "1 ")
    (should (midfill-ghost-follow))
    (should (equal (midfill-ghost-test-screen) "a = 1 [+ 2]\nb"))))

(ert-deftest midfill-ghost-type-through-and-back ()
  "Who deletes that again sees the whole suggestion again."
  (midfill-ghost-test-in "a = |"
    (midfill-ghost-show (list (midfill-ghost-test-item "1 + 2")) 0)
    (insert "1 +")
    (should (midfill-ghost-follow))
    (delete-char -3)
    (should (midfill-ghost-follow))
    (should (equal (midfill-ghost-test-screen) "a = [1 + 2]"))))

(ert-deftest midfill-ghost-type-before-replaced-text ()
  "What the suggestion replaces stays hidden while the user types."
  (midfill-ghost-test-in "f(|)"
    (midfill-ghost-show (list (midfill-ghost-test-item "1, 2)" 2 3)) 0)
    (insert "1")
    (should (midfill-ghost-follow))
    (should (equal (midfill-ghost-test-screen) "f(1[, 2)]"))))

(ert-deftest midfill-ghost-type-all ()
  "Nothing remains once all of it was typed."
  (midfill-ghost-test-in "a = |"
    (midfill-ghost-show (list (midfill-ghost-test-item "12")) 0)
    (insert "12")
    (should-not (midfill-ghost-remainder))
    (should-not (midfill-ghost-follow))))

(ert-deftest midfill-ghost-type-something-else ()
  "Nothing remains once something else was typed."
  (midfill-ghost-test-in "a = |"
    (midfill-ghost-show (list (midfill-ghost-test-item "12")) 0)
    (insert "2")
    (should-not (midfill-ghost-remainder))))

(ert-deftest midfill-ghost-move-before-start ()
  "Nothing remains once point is before the suggestion."
  (midfill-ghost-test-in "a = |"
    (midfill-ghost-show (list (midfill-ghost-test-item "12")) 0)
    (backward-char)
    (should-not (midfill-ghost-remainder))))

(ert-deftest midfill-ghost-text-behind-point-changes ()
  "Nothing remains once the text behind point is another."
  (midfill-ghost-test-in "f(|)"
    (midfill-ghost-show (list (midfill-ghost-test-item "1, 2)" 2 3)) 0)
    (save-excursion
      (end-of-line)
      (insert ";"))
    (should-not (midfill-ghost-remainder))))

;;;; Accepting

(ert-deftest midfill-ghost-accept-all ()
  "All of the text is inserted, and nothing is shown any more."
  (midfill-ghost-test-in "def f():|\nrest"
    (midfill-ghost-show (list (midfill-ghost-test-item "\n    return 1")) 0)
    (midfill-accept)
    (should (equal (midfill-ghost-test-buffer) "def f():\n    return 1|\nrest"))
    (should-not (overlays-in (point-min) (point-max)))))

(ert-deftest midfill-ghost-accept-all-replaces ()
  "The text behind point that is in the range is replaced."
  (midfill-ghost-test-in "f(|) # why"
    (midfill-ghost-show (list (midfill-ghost-test-item "1, 2)" 2 3)) 0)
    (midfill-accept)
    (should (equal (midfill-ghost-test-buffer) "f(1, 2)| # why"))))

(ert-deftest midfill-ghost-accept-words ()
  "Word by word, a name or a group of signs each, with the space before it."
  (midfill-ghost-test-in "a =|"
    (midfill-ghost-show (list (midfill-ghost-test-item " b_1 += c")) 0)
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "a = b_1|"))
    (midfill-ghost-follow)
    (should (equal (midfill-ghost-test-screen) "a = b_1[ += c]"))
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "a = b_1 +=|"))
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "a = b_1 += c|"))
    (should-error (midfill-accept-word) :type 'user-error)))

(ert-deftest midfill-ghost-accept-lines ()
  "Line by line, with the line break before it."
  (midfill-ghost-test-in "if a:|"
    (midfill-ghost-show (list (midfill-ghost-test-item " # yes\n    b()\n\n    c()")) 0)
    (midfill-accept-line)
    (should (equal (midfill-ghost-test-buffer) "if a: # yes|"))
    (midfill-accept-line)
    (should (equal (midfill-ghost-test-buffer) "if a: # yes\n    b()|"))
    (midfill-accept-line)
    (should (equal (midfill-ghost-test-buffer) "if a: # yes\n    b()\n|"))
    (midfill-accept-line)
    (should (equal (midfill-ghost-test-buffer) "if a: # yes\n    b()\n\n    c()|"))
    (should-error (midfill-accept-line) :type 'user-error)))

(ert-deftest midfill-ghost-accept-last-word-replaces ()
  "What the item replaces stays until the last word is accepted."
  (midfill-ghost-test-in "f(|)"
    (midfill-ghost-show (list (midfill-ghost-test-item "a)" 2 3)) 0)
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "f(a|)"))
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "f(a)|"))))

(ert-deftest midfill-ghost-accept-only-spaces ()
  "A suggestion without a word is one word."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-show (list (midfill-ghost-test-item "  ")) 0)
    (midfill-accept-word)
    (should (equal (midfill-ghost-test-buffer) "a  |"))))

(ert-deftest midfill-ghost-accept-is-undone-by-itself ()
  "Undo takes back what was accepted, but not what was typed before."
  (midfill-ghost-test-in "|"
    (buffer-enable-undo)
    (insert "a =")
    (midfill-ghost-show (list (midfill-ghost-test-item " b")) 0)
    (midfill-accept)
    (undo-start)
    (undo-more 1)
    (should (equal (midfill-ghost-test-buffer) "a =|"))))

(ert-deftest midfill-ghost-accept-tells-the-server ()
  "The item's command is run once, when the last part is accepted."
  (let (run)
    (cl-letf (((symbol-function 'midfill-server-current) (lambda () 'server))
              ((symbol-function 'midfill-server-run)
               (lambda (command arguments _callback) (push (cons command arguments) run))))
      (midfill-ghost-test-in "a|"
        (midfill-ghost-show
         '((:insertText " b c" :command (:title "" :command "accepted" :arguments [7]))) 0)
        (midfill-accept-word)
        (should-not run)
        (midfill-accept-word)
        (should (equal run '(("accepted" . [7]))))))))

;;;; Alternatives

(ert-deftest midfill-ghost-rotates ()
  "After the last suggestion comes the first, and before the first the last."
  (midfill-ghost-test-in "a|"
    (midfill-ghost-show (mapcar #'midfill-ghost-test-item '("1" "2" "3")) 1)
    (should (equal (midfill-ghost-test-screen) "a[2]"))
    (should (= (midfill-ghost-count) 3))
    (midfill-ghost-rotate 1)
    (should (equal (midfill-ghost-test-screen) "a[3]"))
    (midfill-ghost-rotate 1)
    (should (equal (midfill-ghost-test-screen) "a[1]"))
    (midfill-ghost-rotate -1)
    (should (equal (midfill-ghost-test-screen) "a[3]"))))

(ert-deftest midfill-ghost-rotates-to-what-fits ()
  "A suggestion that does not fit what was typed is not shown."
  (midfill-ghost-test-in "|"
    (midfill-ghost-show (mapcar #'midfill-ghost-test-item '("print" "return")) 0)
    (insert "p")
    (should (midfill-ghost-follow))
    (midfill-ghost-rotate 1)
    (should (equal (midfill-ghost-test-screen) "p[rint]"))
    (should (equal (midfill-ghost-remainder) "rint"))))

;;;; Keys

(ert-deftest midfill-ghost-keys ()
  "Keys are the mode's only while there is ghost text."
  (midfill-ghost-test-in "a|"
    (midfill-mode)
    (should-not (eq (key-binding (kbd "TAB")) #'midfill-accept))
    (midfill-ghost-show (list (midfill-ghost-test-item "bc")) 0)
    (should (equal (mapcar (lambda (key) (key-binding (kbd key))) '("TAB" "M-f" "M-e" "M-n" "M-p" "C-g"))
                   '(midfill-accept midfill-accept-word midfill-accept-line
                     midfill-next midfill-previous midfill-dismiss)))
    (midfill-dismiss)
    (should-not (eq (key-binding (kbd "TAB")) #'midfill-accept))))

(ert-deftest midfill-ghost-mode-off ()
  "Without the mode there is no ghost text."
  (midfill-ghost-test-in "a|"
    (midfill-mode)
    (midfill-ghost-show (list (midfill-ghost-test-item "bc")) 0)
    (midfill-mode -1)
    (should (equal (midfill-ghost-test-screen) "a"))
    (should-not (memq #'midfill-request-follow post-command-hook))))

(provide 'midfill-ghost-test)

;;; midfill-ghost-test.el ends here
