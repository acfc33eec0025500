;;; midfill-difference-test.el --- Tests of changes that are shown -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; No test here needs a server or a screen.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'midfill-difference)
(require 'seq)

(defmacro midfill-difference-test-in (text &rest body)
  "Evaluate BODY in a buffer that has TEXT, with point at its beginning."
  (declare (indent 1) (debug t))
  `(with-temp-buffer
     (insert ,text)
     (goto-char (point-min))
     ,@body))

(defun midfill-difference-test-screen ()
  "Return the text as the user sees it: {added} and [removed]."
  (let ((text (buffer-string)))
    (dolist (overlay (sort (overlays-in (point-min) (point-max))
                           (lambda (one other) (> (overlay-start one) (overlay-start other)))))
      (let ((start (1- (overlay-start overlay)))
            (end (1- (overlay-end overlay)))
            (added (overlay-get overlay 'after-string)))
        (should (eq (overlay-get overlay 'face) 'midfill-removed))
        (should (or (equal added "") (eq (get-text-property 0 'face added) 'midfill-added)))
        (setq text (concat (substring text 0 start)
                           (if (= start end) "" (format "[%s]" (substring text start end)))
                           (if (equal added "") "" (format "{%s}" (substring-no-properties added)))
                           (substring text end)))))
    text))

(defun midfill-difference-test-draw (&rest edits)
  "Show EDITS, each a list of start, end and new text; return the difference."
  (let ((difference (midfill-difference edits)))
    (midfill-difference-draw difference)
    difference))

(ert-deftest midfill-difference-shows-replaced-words ()
  "Removed text has a face, and added text is behind it; the buffer does not change."
  (midfill-difference-test-in "x = left + left\n"
    (midfill-difference-test-draw '(12 16 "right") '(5 9 "right"))
    (should (equal (midfill-difference-test-screen) "x = [left]{right} + [left]{right}\n"))
    (should (equal (buffer-string) "x = left + left\n"))))

(ert-deftest midfill-difference-shows-whole-lines ()
  "Lines are added and removed as they are."
  (midfill-difference-test-in "one\ntwo\nthree\n"
    (midfill-difference-test-draw '(5 5 "new\n") '(9 15 ""))
    (should (equal (midfill-difference-test-screen) "one\n{new\n}two\n[three\n]"))))

(ert-deftest midfill-difference-hides ()
  "Nothing is left on the screen."
  (midfill-difference-test-in "left"
    (midfill-difference-hide (midfill-difference-test-draw '(1 5 "right")))
    (should (equal (midfill-difference-test-screen) "left"))))

(ert-deftest midfill-difference-makes-all-changes ()
  "All changes are made, and point is behind the last one."
  (midfill-difference-test-in "f(left)\nreturn left\nend"
    (midfill-difference-make (midfill-difference '((3 7 "r") (16 20 "right"))))
    (should (equal (buffer-string) "f(r)\nreturn right\nend"))
    (should (looking-back "return right" (point-min)))))

(ert-deftest midfill-difference-makes-changes-that-touch ()
  "Changes at the same place keep their order."
  (midfill-difference-test-in "ab"
    (midfill-difference-make (midfill-difference '((1 2 "x") (2 2 "y") (2 3 "z"))))
    (should (equal (buffer-string) "xyz"))))

(ert-deftest midfill-difference-is-one-step-of-undo ()
  "One undo takes back all changes, and nothing that was typed before."
  (midfill-difference-test-in ""
    (buffer-enable-undo)
    (insert "left left")
    (midfill-difference-make (midfill-difference '((1 5 "right") (6 10 "right"))))
    (undo-start)
    (undo-more 1)
    (should (equal (buffer-string) "left left"))))

(ert-deftest midfill-difference-makes-all-changes-or-none ()
  "If some text may not be changed, nothing is."
  (midfill-difference-test-in "left left"
    (buffer-enable-undo)
    (put-text-property 1 5 'read-only t)
    (should-error (midfill-difference-make (midfill-difference '((1 5 "right") (6 10 "right"))))
                  :type 'text-read-only)
    (should (equal (buffer-string) "left left"))))

(ert-deftest midfill-difference-makes-what-is-narrowed-out ()
  "Changes outside of the narrowed part are made, too."
  (midfill-difference-test-in "left\nmiddle\nleft"
    (narrow-to-region 1 6)
    (midfill-difference-make (midfill-difference '((1 5 "right") (13 17 "right"))))
    (widen)
    (should (equal (buffer-string) "right\nmiddle\nright"))))

(ert-deftest midfill-difference-keeps-what-is-narrowed-out ()
  "A change outside of the narrowed part is known, too."
  (midfill-difference-test-in "left\nmiddle\n"
    (narrow-to-region 6 13)
    (let ((difference (midfill-difference '((1 5 "right")))))
      (should (midfill-difference-fits-p difference))
      (should (= (midfill-difference-start difference) 1)))))

;;;; Typing along

(ert-deftest midfill-difference-typed-along ()
  "Who types what is to be added sees the rest; who deletes that again sees all."
  (midfill-difference-test-in "r * r"
    (let ((difference (midfill-difference-test-draw '(2 2 "adius") '(6 6 "adius"))))
      (goto-char 2)
      (insert "ad")
      (should (midfill-difference-fits-p difference))
      (midfill-difference-draw difference)
      (should (equal (midfill-difference-test-screen) "rad{ius} * r{adius}"))
      (delete-char -2)
      (midfill-difference-draw difference)
      (should (equal (midfill-difference-test-screen) "r{adius} * r{adius}")))))

(ert-deftest midfill-difference-typed-before-the-old-text ()
  "The new word may be typed before the old one, or after some of that was deleted."
  (midfill-difference-test-in "left"
    (let ((difference (midfill-difference-test-draw '(1 5 "right"))))
      (insert "ri")
      (delete-char 2)
      (midfill-difference-draw difference)
      (should (equal (midfill-difference-test-screen) "ri[ft]{ght}")))))

(ert-deftest midfill-difference-last-part-first ()
  "The parts may be typed in any order, and what is left can be made."
  (midfill-difference-test-in "r * r"
    (let ((difference (midfill-difference '((2 2 "adius") (6 6 "adius")))))
      (goto-char 6)
      (insert "adius")
      (should (equal (midfill-difference-rest difference) '((2 2 "adius"))))
      (midfill-difference-make difference)
      (should (equal (buffer-string) "radius * radius")))))

(ert-deftest midfill-difference-typed-something-else ()
  "Other text than is to be added does not fit."
  (midfill-difference-test-in "r"
    (let ((difference (midfill-difference '((2 2 "adius")))))
      (goto-char 2)
      (insert "ax")
      (should-not (midfill-difference-fits-p difference)))))

(ert-deftest midfill-difference-typed-all ()
  "Nothing is left once all of it was typed."
  (midfill-difference-test-in "r"
    (let ((difference (midfill-difference '((2 2 "adius")))))
      (goto-char 2)
      (insert "adius")
      (should-not (midfill-difference-fits-p difference))
      (should-not (midfill-difference-start difference)))))

(ert-deftest midfill-difference-has-only-its-parts ()
  "Text between two parts is not in the difference."
  (midfill-difference-test-in "left * left"
    (let ((difference (midfill-difference '((1 5 "right") (8 12 "right")))))
      (should (midfill-difference-has-p difference 1 5))
      (should (midfill-difference-has-p difference 9 9))
      (should-not (midfill-difference-has-p difference 6 6))
      (should-not (midfill-difference-has-p difference 4 9)))))

(ert-deftest midfill-difference-at-point ()
  "Point is at a difference on its lines and between them, and nowhere else."
  (midfill-difference-test-in "a\nleft\nb\nleft\nc"
    (let ((difference (midfill-difference '((3 7 "right") (10 14 "right")))))
      (should (equal (mapcar (lambda (line)
                               (goto-char (point-min))
                               (forward-line line)
                               (midfill-difference-at-point-p difference))
                             '(0 1 2 3 4))
                     '(nil t t t nil))))))

(provide 'midfill-difference-test)

;;; midfill-difference-test.el ends here
