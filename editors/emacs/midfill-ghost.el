;;; midfill-ghost.el --- Ghost text, and how it is accepted -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The suggestions for one place, of which one is shown in an overlay behind
;; point.  The user can type through it, and accept all of it, its next line or
;; its next word.  Nothing in this file asks the server for suggestions.

;;; Code:

(require 'cl-lib)
(require 'midfill-compat)
(require 'midfill-server)
(require 'subr-x)

(defface midfill-ghost '((t :inherit shadow))
  "How a suggestion looks before it is accepted."
  :group 'midfill)

(cl-defstruct (midfill-ghost--suggestion (:copier nil))
  "Suggestions for one place, one of which is shown."
  items                                 ; LSP's InlineCompletionItems, a list
  (index 0)                             ; of the item that is shown
  start                                 ; buffer position at which its text begins
  after                                 ; the text between point and the end of the line
  replaced)                             ; how many characters of that text it replaces

(defvar-local midfill-ghost--suggestion nil "The suggestion that is shown here, or nil.")
(defvar-local midfill-ghost--overlay nil "The overlay that shows it, or nil.")
(defvar midfill-ghost-shown-hook nil "Run when ghost text has been drawn, in its buffer.")

;;;; The suggestion

(defun midfill-ghost--item ()
  "Return the item that is shown."
  (nth (midfill-ghost--suggestion-index midfill-ghost--suggestion)
       (midfill-ghost--suggestion-items midfill-ghost--suggestion)))

(defun midfill-ghost--text ()
  "Return the whole text of the item that is shown."
  (let ((text (plist-get (midfill-ghost--item) :insertText)))
    (if (stringp text) text (plist-get text :value))))

(defun midfill-ghost--after-point ()
  "Return the text between point and the end of the line."
  (buffer-substring-no-properties (point) (line-end-position)))

(defun midfill-ghost-remainder ()
  "Return the part of the suggestion that is not yet in the buffer.
Return nil when there is no suggestion, when all of it was typed, or when
the buffer's text no longer fits it."
  (when midfill-ghost--suggestion
    (let ((start (midfill-ghost--suggestion-start midfill-ghost--suggestion))
          (text (midfill-ghost--text)))
      (when (<= (point-min) start (point))
        (let ((typed (buffer-substring-no-properties start (point))))
          (and (string-prefix-p typed text)
               (< (length typed) (length text))
               (equal (midfill-ghost--after-point)
                      (midfill-ghost--suggestion-after midfill-ghost--suggestion))
               (substring text (length typed))))))))

(defun midfill-ghost-count ()
  "Return how many suggestions there are for this place."
  (if midfill-ghost--suggestion
      (length (midfill-ghost--suggestion-items midfill-ghost--suggestion))
    0))

;;;; The overlay

(defun midfill-ghost--draw (text)
  "Show TEXT behind point."
  (unless midfill-ghost--overlay
    (setq midfill-ghost--overlay (make-overlay (point) (point) nil t)))
  (let* ((end (+ (point) (midfill-ghost--suggestion-replaced midfill-ghost--suggestion)))
         (ghost (propertize text 'face 'midfill-ghost)))
    (put-text-property 0 1 'cursor t ghost) ; without it the cursor would be behind the ghost text
    (move-overlay midfill-ghost--overlay (point) end)
    (overlay-put midfill-ghost--overlay 'display (and (< (point) end) ""))
    (overlay-put midfill-ghost--overlay (if (< (point) end) 'before-string 'after-string) ghost)
    (overlay-put midfill-ghost--overlay (if (< (point) end) 'after-string 'before-string) nil))
  (run-hooks 'midfill-ghost-shown-hook))

(defun midfill-ghost-hide ()
  "Show no suggestion any more."
  (when midfill-ghost--overlay
    (delete-overlay midfill-ghost--overlay)
    (setq midfill-ghost--overlay nil))
  (setq midfill-ghost--suggestion nil))

(defun midfill-ghost-follow ()
  "Move the ghost text to point, and return non-nil, if it still fits there."
  (when-let* ((text (midfill-ghost-remainder)))
    (midfill-ghost--draw text)
    t))

(defun midfill-ghost-show (items index)
  "Show at point the suggestion at INDEX of ITEMS.
ITEMS is a list of LSP's InlineCompletionItems.  A suggestion that does not
go on from the text before point is not shown."
  (let* ((range (plist-get (nth index items) :range))
         (start (if range (midfill-compat-point (plist-get range :start)) (point)))
         (end (if range (midfill-compat-point (plist-get range :end)) (point))))
    (setq midfill-ghost--suggestion
          (make-midfill-ghost--suggestion
           :items items :index index :start start
           :after (midfill-ghost--after-point)
           :replaced (max 0 (- (min end (line-end-position)) (point)))))
    (unless (midfill-ghost-follow)
      (midfill-ghost-hide))))

(defun midfill-ghost-rotate (step)
  "Show the suggestion that is STEP places after the one that is shown.
After the last one comes the first."
  (let ((shown (midfill-ghost--suggestion-index midfill-ghost--suggestion)))
    (setf (midfill-ghost--suggestion-index midfill-ghost--suggestion)
          (mod (+ shown step) (midfill-ghost-count)))
    (unless (midfill-ghost-follow)
      ;; What was typed since then fits the suggestion that was shown, but not this one.
      (setf (midfill-ghost--suggestion-index midfill-ghost--suggestion) shown))))

;;;; Accepting

(defun midfill-ghost--part (text part)
  "Return the first PART of TEXT: all of it, or its next `line' or `word'.
A line includes the line break before it, and a word the space before it."
  (let ((pattern (pcase part
                   ('line "\\`\n?[^\n]*")
                   ('word "\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)"))))
    (if (and pattern (string-match pattern text))
        (match-string 0 text)
      text)))

(defun midfill-ghost--accept (part)
  "Insert the first PART of the suggestion; the rest stays shown.
When all of it was accepted, run the command that the server gave with it."
  (let* ((text (or (midfill-ghost-remainder) (user-error "There is no suggestion")))
         (piece (midfill-ghost--part text part))
         (replaced (midfill-ghost--suggestion-replaced midfill-ghost--suggestion))
         (command (plist-get (midfill-ghost--item) :command)))
    (undo-boundary)
    (if (not (equal piece text))
        (insert piece)
      (midfill-ghost-hide)
      (delete-region (point) (+ (point) replaced))
      (insert piece)
      (when (and command (midfill-server-current))
        (midfill-server-run (plist-get command :command) (plist-get command :arguments) #'ignore)))))

(defun midfill-accept ()
  "Accept all of the suggestion."
  (interactive)
  (midfill-ghost--accept 'all))

(defun midfill-accept-line ()
  "Accept the suggestion's next line."
  (interactive)
  (midfill-ghost--accept 'line))

(defun midfill-accept-word ()
  "Accept the suggestion's next word."
  (interactive)
  (midfill-ghost--accept 'word))

(provide 'midfill-ghost)

;;; midfill-ghost.el ends here
