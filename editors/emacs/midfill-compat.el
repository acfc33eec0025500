;;; midfill-compat.el --- Private parts of Eglot that Midfill needs -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Eglot has no public name for some of what Midfill needs.  This is the only
;; file of Midfill that may use Eglot's private names, so it is the one to check
;; when a new Eglot comes out.  All names below exist in Eglot 1.9 (for Emacs
;; 28) and Eglot 1.17 (in Emacs 30), unless a comment says otherwise.

;;; Code:

(require 'eglot)

;;;; Connecting

;; Eglot 1.9 and 1.17: `project-current' is not enough, for Eglot makes up a
;; project for a file that is in none.
(defun midfill-compat-current-project ()
  "Return the project that Eglot assigns to the current buffer."
  (eglot--current-project))

;; Eglot 1.9 and 1.17: the slot has no public accessor.
(defun midfill-compat-server-project (server)
  "Return the project of SERVER."
  (eglot--project server))

;; Eglot 1.9: the accessor of a slot.  Eglot 1.17: a function of the same name,
;; since the slot now holds a language identifier beside each mode.
(defun midfill-compat-server-modes (server)
  "Return the major modes that SERVER manages, a list of symbols."
  (eglot--major-modes server))

;; Eglot 1.9 and 1.17: the command `eglot' asks the user, and `eglot-ensure'
;; does not know about a server that is still starting.
(defun midfill-compat-connect ()
  "Start the server that `eglot-server-programs' has for the current buffer."
  (apply #'eglot--connect (eglot--guess-contact)))

;;;; Documents and positions

;; Eglot 1.9 and 1.17: changes are sent after half a second without a key, and
;; only Eglot's own requests send them earlier.
(defun midfill-compat-send-changes ()
  "Tell the server now what Eglot would tell it later about the text."
  (eglot--signal-textDocument/didChange))

;; Eglot 1.9: `eglot--path-to-uri' is private, too.  Eglot 1.17:
;; `eglot-path-to-uri' is public, but this is what Eglot itself sends.
(defun midfill-compat-document ()
  "Return LSP's TextDocumentIdentifier of the current buffer."
  (eglot--TextDocumentIdentifier))

;; Eglot 1.9 and 1.17: there is no public function.  Eglot 1.17 counts a change
;; only when it sends it.
(defun midfill-compat-versioned-document ()
  "Return LSP's VersionedTextDocumentIdentifier of the current buffer."
  (eglot--VersionedTextDocumentIdentifier))

;; Eglot 1.9 and 1.17: there is no public function.
(defun midfill-compat-document-and-position ()
  "Return LSP's TextDocumentPositionParams of point."
  (eglot--TextDocumentPositionParams))

;; Eglot 1.9 and 1.17: the conversion depends on the position encoding that
;; Eglot and the server have agreed on.
(defun midfill-compat-position (point)
  "Return POINT as LSP's Position."
  (eglot--pos-to-lsp-position point))

;; Eglot 1.9 and 1.17: the same.
(defun midfill-compat-point (position)
  "Return the buffer position of POSITION, LSP's Position."
  (eglot--lsp-position-to-point position))

(provide 'midfill-compat)

;;; midfill-compat.el ends here
