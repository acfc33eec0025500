"""The one way in for the text of other files: a file is redacted whole, before anything cuts it.

A signature of 60 characters or a chunk of 32 lines may have half of a secret, which nothing would recognise. So no
other module of this package reads files, and a contract of import-linter says so.
"""

from __future__ import annotations

from pathlib import Path

from midfill.code.source_files import read_source, read_text
from midfill.privacy.secrets import RedactedText, redact


def read_redacted_source(path: Path) -> RedactedText | None:
    """Return a source file's text without secrets; None for what :func:`read_source` refuses."""
    text = read_source(path)
    return None if text is None else redact(text).text


def read_redacted_text(path: Path) -> RedactedText | None:
    """Return a file's text without secrets; None for what :func:`read_text` refuses."""
    text = read_text(path)
    return None if text is None else redact(text).text
