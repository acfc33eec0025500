"""Facts about files and folders, and the replacement of a file.

The functions for facts raise no error: each has a result for a path that is unusable.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from midfill.common.file_uri import MAX_PATH_CHARACTERS

_REPLACE_SECONDS = (0.01, 0.05, 0.2, 0.7)
"""How long to wait before each further attempt to replace a file on Windows."""
FileStamp = tuple[int, int]
"""A file's modification time in nanoseconds and its size in bytes."""


def stamp_of(path: str) -> FileStamp | None:
    """Return a file's stamp, which differs after each change of the file; None when the file does not exist."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def repository_of(folder: Path) -> Path | None:
    """Return the git repository that contains ``folder``; None when there is none."""
    if len(str(folder)) > MAX_PATH_CHARACTERS:
        return None
    # Path.exists() would raise an error for a name that is too long
    return next((parent for parent in (folder, *folder.parents) if os.path.exists(parent / ".git")), None)


def is_within(path: Path, folder: Path) -> bool:
    """Return whether a path is a folder, or in it.

    From Python 3.12 on, ``is_relative_to`` takes a time that grows with the square of the number of the path's steps.
    """
    steps = folder.parts
    return Path(*path.parts[: len(steps)]) == folder


def relative_path(path: Path, folder: Path | None) -> str:
    """Return the path relative to ``folder``, with forward slashes; only the file name for a path outside.

    What is no Unicode text in it becomes a question mark, because no tokenizer accepts it.
    """
    relative = path.relative_to(folder).as_posix() if folder and is_within(path, folder) else path.name
    return relative.encode(errors="replace").decode()


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """Give a new file to write, which takes the place of ``file`` in one step when the block ends.

    Who reads ``file`` gets what it had or what was written, and nothing between. Only the user may read the new file.
    If the block fails, ``file`` is as it was.

    Raises:
        OSError: the new file cannot be written, or cannot take the place.
    """
    descriptor, scratch = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    try:
        with open(scratch, "wb") as opened:
            yield opened
        replace_file(Path(scratch), file)
    except BaseException:
        with suppress(OSError):
            os.chmod(scratch, 0o600)  # Windows does not delete a file that is read-only
            os.unlink(scratch)
        raise


def write_own(file: Path, text: str) -> None:
    """Write a file of Midfill's own, as UTF-8 with its own line ends: see :func:`replacing`.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    with replacing(file) as opened:
        opened.write(text.encode())


def replace_file(source: Path, target: Path) -> None:
    """Move the file ``source`` to ``target`` in one step, also over an existing file.

    Windows refuses this while another program has one of the files open, as virus scanners and readers do for a moment.
    So it is tried several times there.

    Raises:
        OSError: it was refused each time.
    """
    for seconds in _REPLACE_SECONDS if sys.platform == "win32" else ():
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(seconds)
        else:
            return
    os.replace(source, target)
