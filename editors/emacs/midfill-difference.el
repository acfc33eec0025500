;;; midfill-difference.el --- A change that is shown before it is made -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A difference is a list of parts.  Each part replaces some text by other text.
;; Overlays show both: the old text as removed, and the new text behind it.  The
;; user may type the new text by hand; then the rest of it stays shown.  Nothing
;; in this file knows where a difference comes from.

;;; Code:

(require 'cl-lib)
(require 'diff-mode)
(require 'seq)
(require 'subr-x)

(defface midfill-removed '((t :inherit diff-removed :strike-through t))
  "How text looks that the next edit removes."
  :group 'midfill-next-edit)

(defface midfill-added '((t :inherit diff-added))
  "How text looks that the next edit adds."
  :group 'midfill-next-edit)

(cl-defstruct (midfill-difference--part (:copier nil))
  "A part of a difference."
  start                                 ; marker: where its text begins
  end                                   ; marker: where it ends; text that is typed there belongs to it
  old                                   ; the text that was there at first
  new                                   ; the text that is to be there
  overlay)                              ; what shows it, or nil

(defun midfill-difference (edits)
  "Return the difference of EDITS to the current buffer, in the buffer's order.
Each edit is a list: the start and the end of a text, and another text for it."
  (mapcar (lambda (edit)
            (pcase-let ((`(,start ,end ,new) edit))
              (make-midfill-difference--part
               :start (copy-marker start)
               :end (copy-marker end t)
               :old (save-restriction (widen) (buffer-substring-no-properties start end))
               :new new)))
          (sort (copy-sequence edits) #'car-less-than-car)))

;;;; What is left of it

(defun midfill-difference--rest (part)
  "Return the edit that is left of PART, as a list of start, end and new text.
Return `done' if nothing is left, and nil if the text does not fit any more."
  (with-current-buffer (marker-buffer (midfill-difference--part-start part))
    (save-restriction
      (widen)
      (let* ((start (marker-position (midfill-difference--part-start part)))
             (end (marker-position (midfill-difference--part-end part)))
             (new (midfill-difference--part-new part))
             (now (buffer-substring-no-properties start end))
             (order (compare-strings now nil nil new nil nil))
             (typed (if (eq order t) (length now) (1- (abs order)))))
        (cond ((eq order t) 'done)
              ((string-suffix-p (substring now typed) (midfill-difference--part-old part))
               (list (+ start typed) end (substring new typed))))))))

(defun midfill-difference-rest (difference)
  "Return the edits that are left of DIFFERENCE, in the buffer's order.
Each is a list: the start and the end of a text, and another text for it."
  (seq-filter #'consp (mapcar #'midfill-difference--rest difference)))

(defun midfill-difference-has-p (difference start end)
  "Return non-nil if the text between START and END is in one part of DIFFERENCE."
  (seq-find (lambda (part)
              (<= (midfill-difference--part-start part) start
                  end (midfill-difference--part-end part)))
            difference))

(defun midfill-difference-fits-p (difference)
  "Return non-nil if the text fits DIFFERENCE, and something is left of it."
  (and (seq-every-p #'midfill-difference--rest difference)
       (midfill-difference-rest difference)))

(defun midfill-difference-start (difference)
  "Return the position of the first edit that is left of DIFFERENCE."
  (caar (midfill-difference-rest difference)))

(defun midfill-difference-at-point-p (difference)
  "Return non-nil if point is on a line of DIFFERENCE, or between two."
  (when-let* ((rest (midfill-difference-rest difference)))
    (and (<= (caar rest) (line-end-position))
         (<= (line-beginning-position) (cadar (last rest))))))

;;;; Showing and making it

(defun midfill-difference-hide (difference)
  "Show nothing of DIFFERENCE."
  (dolist (part difference)
    (when-let* ((overlay (midfill-difference--part-overlay part)))
      (delete-overlay overlay)
      (setf (midfill-difference--part-overlay part) nil))))

(defun midfill-difference--draw-part (start end new)
  "Show that the text between START and END is to become NEW; return the overlay."
  (let ((overlay (make-overlay start end))
        (added (propertize new 'face 'midfill-added)))
    (unless (string-empty-p added)
      (put-text-property 0 1 'cursor t added)) ; without it the cursor would be behind the new text
    (overlay-put overlay 'face 'midfill-removed)
    (overlay-put overlay 'after-string added)
    overlay))

(defun midfill-difference-draw (difference)
  "Show what is left of DIFFERENCE."
  (midfill-difference-hide difference)
  (dolist (part difference)
    (pcase (midfill-difference--rest part)
      (`(,start ,end ,new)
       (setf (midfill-difference--part-overlay part)
             (midfill-difference--draw-part start end new))))))

(defun midfill-difference-make (difference)
  "Make the edits that are left of DIFFERENCE, as one step of undo.
Point goes behind the last one.  If one cannot be made, none is."
  (let ((behind (make-marker)))
    (undo-boundary)
    (save-restriction
      (widen)
      (atomic-change-group
        ;; From the last one to the first, so that their positions stay right.
        (pcase-dolist (`(,start ,end ,new) (reverse (midfill-difference-rest difference)))
          (goto-char start)
          (delete-region start end)
          (insert new)
          (unless (marker-position behind)
            (set-marker behind (point))))))
    (goto-char behind)
    (set-marker behind nil)))

(provide 'midfill-difference)

;;; midfill-difference.el ends here
