"""Midfill: private, offline code completion as a language server."""

__version__ = "0.1.0"
