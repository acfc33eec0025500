;;; midfill-offer.el --- The edit that is offered -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; There is one offered edit at a time, in any buffer.  It is shown until it is
;; taken, or until the text changes in another way than the edit says.  It gives
;; way to ghost text.  Nothing in this file asks the server for edits.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'midfill-compat)
(require 'midfill-difference)
(require 'midfill-ghost)
(require 'midfill-server)
(require 'subr-x)
(require 'xref)

(cl-defstruct (midfill-offer (:copier nil))
  "An edit that is offered."
  item                                  ; the server's edit
  buffer                                ; what it changes
  origin                                ; the buffer in which it was asked for
  difference                            ; its parts
  tick                                  ; the state of the text for which it is valid
  told)                                 ; whether the user and the server know that it is shown

(defvar midfill-offer--shown nil "The edit that is offered, or nil.")

(defun midfill-offer-clear ()
  "Offer no edit any more."
  (when-let* ((offer midfill-offer--shown))
    (setq midfill-offer--shown nil)
    (midfill-difference-hide (midfill-offer-difference offer))
    (when (buffer-live-p (midfill-offer-buffer offer))
      (with-current-buffer (midfill-offer-buffer offer)
        (remove-hook 'before-change-functions #'midfill-offer--before-change t)
        (remove-hook 'after-change-functions #'midfill-offer--after-change t)))
    (force-mode-line-update t)))

(defun midfill-offer--valid-p (offer)
  "Return non-nil if the text is still the one that OFFER is for."
  (let ((buffer (midfill-offer-buffer offer)))
    (and (buffer-live-p buffer)
         (= (buffer-chars-modified-tick buffer) (midfill-offer-tick offer)))))

(defun midfill-offer-here ()
  "Return the edit that is offered for the current buffer, or from it."
  (when-let* ((offer midfill-offer--shown))
    (and (midfill-offer--valid-p offer)
         (memq (current-buffer) (list (midfill-offer-buffer offer) (midfill-offer-origin offer)))
         offer)))

;;;; While the text changes

(defun midfill-offer--before-change (start end)
  "Drop the edit if the text between START and END is no part of it."
  (unless (midfill-difference-has-p (midfill-offer-difference midfill-offer--shown) start end)
    (midfill-offer-clear)))

(defun midfill-offer--after-change (&rest _)
  "Keep the edit if it fits the text that has changed; else drop it."
  (if (midfill-difference-fits-p (midfill-offer-difference midfill-offer--shown))
      (setf (midfill-offer-tick midfill-offer--shown) (buffer-chars-modified-tick))
    (midfill-offer-clear)))

;;;; Showing it

(defun midfill-offer--start (offer)
  "Return the position of the first change that is left of OFFER."
  (midfill-difference-start (midfill-offer-difference offer)))

(defun midfill-offer--place (offer)
  "Return the line of OFFER for people, with its buffer if that is another one."
  (let ((buffer (midfill-offer-buffer offer)))
    (with-current-buffer buffer
      (let ((line (line-number-at-pos (midfill-offer--start offer) t)))
        (if (eq buffer (window-buffer (selected-window)))
            (format "line %d" line)
          (format "%s:%d" (buffer-name) line))))))

(defun midfill-offer-lighter ()
  "Return the edit's text for the mode line; it is empty if there is no edit."
  (if-let* ((offer (midfill-offer-here)))
      (format " (edit: %s)" (midfill-offer--place offer))
    ""))

(defun midfill-offer--in-view-p (offer)
  "Return non-nil if the beginning of OFFER is in the selected window."
  (and (eq (midfill-offer-buffer offer) (window-buffer (selected-window)))
       (pos-visible-in-window-p (midfill-offer--start offer))))

(defun midfill-offer--tell (offer)
  "Tell the server that OFFER is shown, and the user if it is out of view."
  (setf (midfill-offer-told offer) t)
  (when-let* ((server (midfill-server-current)))
    (jsonrpc-notify server :textDocument/didShowInlineEdit (list :item (midfill-offer-item offer))))
  (unless (midfill-offer--in-view-p offer)
    (let ((message-log-max nil))
      (message "Next edit: %s (%s); TAB goes there, C-g dismisses it"
               (midfill-offer--place offer) (plist-get (midfill-offer-item offer) :why)))))

(defun midfill-offer--draw (offer)
  "Show OFFER in its buffer, unless there is ghost text at its place."
  (with-current-buffer (midfill-offer-buffer offer)
    (let ((difference (midfill-offer-difference offer)))
      (if (and (midfill-ghost-remainder) (midfill-difference-at-point-p difference))
          (midfill-difference-hide difference)
        (midfill-difference-draw difference)
        (unless (midfill-offer-told offer)
          (midfill-offer--tell offer)))))
  (force-mode-line-update t))

(defun midfill-offer-draw ()
  "Show the edit that is offered here; drop it if it is for another text."
  (let ((offer (midfill-offer-here)))
    (cond (offer (midfill-offer--draw offer))
          ((and midfill-offer--shown (not (midfill-offer--valid-p midfill-offer--shown)))
           (midfill-offer-clear)))))

(defun midfill-offer--change (change)
  "Return CHANGE of the server's as start, end and new text in this buffer."
  (let ((range (plist-get change :range)))
    (list (midfill-compat-point (plist-get range :start))
          (midfill-compat-point (plist-get range :end))
          (plist-get change :newText))))

(defun midfill-offer-show (item origin)
  "Offer in the current buffer the server's edit ITEM, which ORIGIN asked for."
  (midfill-offer-clear)
  (let ((difference (midfill-difference (mapcar #'midfill-offer--change (plist-get item :changes)))))
    (when (midfill-difference-rest difference)
      (setq midfill-offer--shown
            (make-midfill-offer :item item :buffer (current-buffer) :origin origin
                                :difference difference :tick (buffer-chars-modified-tick)))
      (add-hook 'before-change-functions #'midfill-offer--before-change nil t)
      (add-hook 'after-change-functions #'midfill-offer--after-change nil t)))
  (with-current-buffer origin
    (midfill-offer-draw)))

;;;; Taking it

(defun midfill-offer-at-point-p (offer)
  "Return non-nil if point is where OFFER is."
  (and (eq (current-buffer) (midfill-offer-buffer offer))
       (midfill-difference-at-point-p (midfill-offer-difference offer))))

(defun midfill-offer-go (offer)
  "Go to the first change of OFFER; \\[xref-go-back] comes back."
  (let ((start (midfill-offer--start offer)))
    (xref-push-marker-stack)
    (pop-to-buffer (midfill-offer-buffer offer)
                   '((display-buffer-reuse-window display-buffer-same-window)))
    (unless (<= (point-min) start (point-max))
      (widen))
    (goto-char start)))

(defun midfill-offer-apply (offer)
  "Make the change of OFFER in the current buffer, and tell the server."
  (barf-if-buffer-read-only)
  (midfill-offer-clear)
  (midfill-difference-make (midfill-offer-difference offer))
  (when (midfill-server-current)
    (midfill-compat-send-changes)
    (midfill-offer-tell offer (plist-get (plist-get (midfill-offer-item offer) :command) :command))))

(defun midfill-offer-tell (offer command)
  "Have the server run COMMAND, which is about OFFER."
  (when (midfill-server-current)
    (midfill-server-run command (plist-get (plist-get (midfill-offer-item offer) :command) :arguments) #'ignore)))

(add-hook 'midfill-ghost-shown-hook #'midfill-offer-draw)

(provide 'midfill-offer)

;;; midfill-offer.el ends here
