"""The standard streams of a command: UTF-8 on every system, with the line ends that a text has.

Windows' own choice for a pipe or a file is its code page, and CR LF for each line. A diff must have the file's bytes.
"""

from __future__ import annotations

import codecs
import errno
import io
import sys

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def set_up() -> None:
    """Prepare standard output and standard error. A terminal keeps its encoding; what it lacks is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace", newline="\n")


def read_input() -> str:
    """Return all of standard input, with LF at the ends of its lines.

    It is UTF-8, or UTF-16 if it begins so, as files do that PowerShell has written. Bytes that are wrong are replaced.
    """
    data = sys.stdin.buffer.read()
    text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig", "replace")
    return text.replace("\r\n", "\n")


def has_lost_its_reader(error: Exception) -> bool:
    """Tell whether a write failed because the program that read our output has ended."""
    if isinstance(error, BrokenPipeError):
        return True
    # Windows' C library has no better code for it.
    return sys.platform == "win32" and isinstance(error, OSError) and error.args[:1] == (errno.EINVAL,)
