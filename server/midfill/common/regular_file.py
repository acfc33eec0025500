"""Reading a file of which nothing is known yet: a regular one only, and not more of it than it may have.

A pipe would wait for a writer, and a device may give bytes for ever.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegular(OSError):
    """A path leads to something else than a regular file."""


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading, without waiting.

    Raises:
        NotRegular: it is not a regular file; ``strerror`` says so.
        OSError: it cannot be opened.
        ValueError: the path is no path, because it has a NUL.
    """
    file = open(path, "rb", opener=_open)  # noqa: SIM115 -- the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegular(errno.EINVAL, "it is not a regular file", str(path))
    return file


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """Return what is in a regular file.

    Raises:
        OSError: as :func:`open_regular`; or the file has more than ``max_bytes`` bytes.
        ValueError: as :func:`open_regular`.
    """
    with open_regular(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"it has more than {max_bytes} bytes", str(path))
    return data


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
