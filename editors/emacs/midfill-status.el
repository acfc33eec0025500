;;; midfill-status.el --- What Midfill does, and why -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The text in the mode line, and the commands that show how Midfill is.

;;; Code:

(require 'eglot)
(require 'jsonrpc)
(require 'midfill-offer)
(require 'midfill-page)
(require 'midfill-request)
(require 'midfill-server)

(defvar midfill-mode)

(defun midfill-status-lighter ()
  "Return the text for the mode line."
  (cond (midfill-request-paused " Midfill:paused")
        ((midfill-server-current) (concat " Midfill" (midfill-offer-lighter)))
        (t " Midfill:off")))

(defun midfill-status ()
  "Say what Midfill does in this buffer."
  (interactive)
  (message "Midfill: %s"
           (cond ((not midfill-mode) "off in this buffer; M-x midfill-ensure starts it")
                 (midfill-request-paused "paused; M-x midfill-resume goes on")
                 ((midfill-server-current) "ready")
                 ((eglot-managed-p) "Eglot runs another server in this buffer")
                 (t "no server; M-x midfill-restart starts it"))))

(defun midfill-status--show-result (name command &optional arguments)
  "Show the result of the server's COMMAND with ARGUMENTS in a page called NAME."
  (midfill-server-run command arguments
                      (lambda (text)
                        (let ((page (midfill-page name)))
                          (midfill-page-append page text)
                          (display-buffer page)))))

(defun midfill-why (count)
  "Show what became of the last request and why, with the exact prompt.
With a numeric prefix argument, show that of the last COUNT requests."
  (interactive "p")
  (midfill-status--show-result "*midfill why*" "midfill.why" (vector count)))

(defun midfill-statistics ()
  "Show what became of suggestions on this machine."
  (interactive)
  (midfill-status--show-result "*midfill statistics*" "midfill.statistics"))

(defun midfill-doctor ()
  "Have the server's program check its installation, in a window of its own."
  (interactive)
  (let ((page (midfill-page "*midfill doctor*")))
    (display-buffer page)
    ;; Emacs's own filter would keep the window at the end, where the first lines are out of sight.
    (make-process :name "midfill-doctor" :buffer page :noquery t
                  :command (list (or (midfill-server-program) (car midfill-command)) "doctor")
                  :filter (lambda (_process output) (midfill-page-append page output))
                  :sentinel (lambda (_process event)
                              (midfill-page-append page (format "\nThe doctor has %s" event))))))

(defun midfill-log ()
  "Show what the server has logged."
  (interactive)
  (display-buffer (jsonrpc-stderr-buffer (or (midfill-server-current)
                                             (user-error "There is no server here")))))

(provide 'midfill-status)

;;; midfill-status.el ends here
