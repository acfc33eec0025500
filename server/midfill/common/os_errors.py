"""What went wrong with a file or a folder, in the same words on every system and in every language of the system."""

from __future__ import annotations

import errno

_DISK_FULL = "the disk is full"
_NOT_ALLOWED = "you have no permission"
_BY_ERRNO = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: "your share of the disk is used up",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: "the disk cannot be written to",
    errno.ENAMETOOLONG: "the path is too long",
}
_BY_WINDOWS_CODE = {
    5: "Windows refuses access: it is protected, or another program uses it",
    19: "the disk cannot be written to",
    32: "another program uses it",
    33: "another program uses it",
    39: _DISK_FULL,
    112: _DISK_FULL,
    206: "the path is too long",
    1224: "another program uses it",
    1295: "your share of the disk is used up",
}
"""By the code that Windows gives, which Python's ``errno`` does not tell apart, or does not know."""


def explain(error: OSError) -> str:
    """Return what happened, as a clause without a full stop; the system's own words if it is nothing common."""
    windows_code = getattr(error, "winerror", None)
    return _BY_WINDOWS_CODE.get(windows_code or 0) or _BY_ERRNO.get(error.errno or 0) or _own_words(error)


def is_disk_full(error: OSError) -> bool:
    """Tell whether there is no room for what was written, on the disk or in the user's share of it."""
    return explain(error) in (_DISK_FULL, _BY_ERRNO[errno.EDQUOT])


def _own_words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
