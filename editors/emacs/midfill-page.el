;;; midfill-page.el --- Buffers for text to read -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A page is a buffer with text to read that may arrive in pieces.  Its windows
;; stay at the beginning while text is added at the end.

;;; Code:

(defun midfill-page (name)
  "Return the page called NAME, without text."
  (with-current-buffer (get-buffer-create name)
    (special-mode)
    (let ((inhibit-read-only t))
      (erase-buffer))
    (current-buffer)))

(defun midfill-page-append (page text)
  "Add TEXT to the end of PAGE, if the user has not killed it.
Point and the windows of PAGE stay where they are."
  (when (buffer-live-p page)
    (with-current-buffer page
      (let ((inhibit-read-only t))
        (save-excursion
          (goto-char (point-max))
          (insert text))))))

(provide 'midfill-page)

;;; midfill-page.el ends here
