"""The URI of a document: which file it names, if it names one.

Only the text counts here: nothing is looked up on disk. Clients write one URI in several ways: ``file:///c%3A/a.py``,
``file:///C:/a.py`` and ``FILE://localhost/c:/%61.py`` are the same. A URI may also come from a client that means no
good. So each text has one of two results: the absolute path of a file, or None.

A URI of another scheme names no file, but it has a path, too: that of a file which is not saved yet
(``untitled:/w/a.py``), is shown as it was (``git:/w/a.py?...``), is on another machine, or has the document as a part.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import PurePath, PurePosixPath, PureWindowsPath

Flavour = type[PurePosixPath] | type[PureWindowsPath]
"""The rules for paths: those of Windows, or those of all other systems."""
OWN: Flavour = PureWindowsPath if os.name == "nt" else PurePosixPath
"""The rules of this system."""

MAX_PATH_CHARACTERS = 4_096
"""Maximum length of a path. Linux opens no longer one; Windows would, but nobody works at such a place."""
_FILE = re.compile(r"file:(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)", re.IGNORECASE)
_DRIVE_HOST = re.compile(r"[a-z][:|]", re.IGNORECASE)
"""In place of a host: some clients write ``file://c:/a.py``."""
_DRIVE = re.compile(r"/*(?P<letter>[a-z])[:|](?P<rest>/.*|)", re.IGNORECASE | re.DOTALL)
_SHARE = re.compile(r"//+(?P<host>[^/]+)(?P<rest>/.+)", re.DOTALL)
_ESCAPE = re.compile(rb"%([0-9a-f]{2})", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ANY = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_ENDING = re.compile(r"::|[~@:]")
"""Begins what says which version of a file is shown, as in ``.env~HEAD``, or which member of an archive."""
_DELIMITERS = b"/?#%"
"""Characters that mean something else in a URI when they are escaped."""


def file_in(uri: str, flavour: Flavour = OWN) -> PurePath | None:
    """Return the absolute path of the file that a URI names; None if it names no file on this system.

    Steps such as ``..`` stay in it, because only the disk tells where they lead. A byte that is no UTF-8 becomes a
    surrogate, as in Python's own names of files.
    """
    windows = flavour is PureWindowsPath
    found = _FILE.match(uri.replace("\\", "/") if windows else uri)
    if not found:
        return None
    try:
        host, path = (
            _decoded(part, "strict" if windows else "surrogateescape") for part in found.group("host", "path")
        )
    except UnicodeError:  # a lone surrogate, or on Windows, whose names are UTF-16, a byte that is no UTF-8
        return None
    if "\0" in path or len(path) > MAX_PATH_CHARACTERS:
        return None
    host = "" if host.lower() == "localhost" else host
    file = _windows_file(host, path.replace("\\", "/")) if windows else _posix_file(host, path)
    return file if file is not None and file.is_absolute() else None


def paths_in(uri: str, flavour: Flavour = OWN) -> list[PurePath]:
    """Return the paths in a URI of any scheme; none if it has none.

    A path is absolute if it is one on this system, and otherwise relative. There may be several: an editor that puts an
    ending after the path, as VS Code does for ``git:``, has the real one in its query, which is JSON. An ending may
    also tell a version, or what is within an archive (``a.zip::.env``).
    """
    found = _ANY.fullmatch(uri)
    if not found:
        return []
    texts = [_readable(found["path"]) or _readable(found["host"])]
    if ending := _ENDING.search(texts[0], texts[0].rfind("/") + 1):
        texts += [texts[0][: ending.start()], texts[0][ending.end() :] if ending[0] == "::" else ""]
    try:
        query = json.loads(_readable(found["query"]))
    except (ValueError, RecursionError):
        query = None
    if isinstance(query, dict) and isinstance(query.get("path"), str):
        texts.append(query["path"])
    windows = flavour is PureWindowsPath
    return [
        (_windows_file("", text.replace("\\", "/")) if windows else _posix_file("", text))
        or flavour(text.lstrip("/\\" if windows else "/"))
        for text in texts
        if text.strip("/")
    ]


def plain_uri(uri: str) -> str:
    """Return a URI without needless differences: the scheme in lower case, and characters instead of their escapes.

    So a document that is no file, such as a notebook's cell, has one name too. What cannot be read stays as it is.
    """
    scheme = _SCHEME.match(uri)
    end = scheme.end() if scheme else 0
    try:
        return uri[:end].lower() + _decoded(uri[end:], "strict", _DELIMITERS)
    except UnicodeError:
        return uri


def _decoded(part: str | None, errors: str, kept: bytes = b"") -> str:
    """Replace the escapes of a part of a URI, except those of the bytes ``kept``, and then of control characters.

    A percent sign that begins no escape stays.
    """

    def decode(found: re.Match[bytes]) -> bytes:
        byte = int(found[1], 16)
        return found[0].upper() if kept and (byte < 32 or byte in kept) else bytes([byte])

    return _ESCAPE.sub(decode, (part or "").encode()).decode("utf-8", errors)


def _readable(part: str | None) -> str:
    """Return a part of a URI without escapes; as it is if it is no text."""
    try:
        return _decoded(part, "surrogateescape")
    except UnicodeError:
        return part or ""


def _posix_file(host: str, path: str) -> PurePosixPath | None:
    """Return a file of this machine: another host's files are not on its disk."""
    return None if host else PurePosixPath(f"/{path.lstrip('/')}") if path.startswith("/") else None


def _windows_file(host: str, path: str) -> PureWindowsPath | None:
    r"""Return a file on a drive, ``C:\a.py``, or on another machine's share, ``\\host\share\a.py``."""
    if _DRIVE_HOST.fullmatch(host):
        host, path = "", f"{host}{path}"
    drive = None if host else _DRIVE.fullmatch(path)
    share = _SHARE.fullmatch(f"//{host}{path}" if host else path)
    if drive:
        file = PureWindowsPath(f"{drive['letter']}:{drive['rest'] or '/'}")
    elif share and share["host"] not in (".", "?"):  # those are devices
        file = PureWindowsPath(f"//{share['host']}{share['rest']}")
    else:
        return None
    # After the drive, a colon names a stream: `.env::$DATA` is the text of `.env` under a name that no rule excludes.
    return None if ":" in str(file)[len(file.drive) :] else file
