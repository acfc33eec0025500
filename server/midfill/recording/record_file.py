"""The file of a recorded session: one event a line, written as it happens, of bounded size.

It may come from a stranger, as part of a bug report. So reading it takes bounded memory, and trusts nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from midfill import __version__
from midfill.common.errors import RecordError, UsageError
from midfill.common.os_errors import explain
from midfill.common.regular_file import NotRegular, open_regular
from midfill.recording.events import FORMAT, Begun, Event, Full, from_line, to_line

MAX_BYTES = 32_000_000
"""Maximum size of a file: some thousand requests."""
_SHOWN = 20
"""Maximum length of a version in an error."""
_MAX_NAMES = 1_000
"""Maximum number of files with the same name and another number."""
_log = logging.getLogger(__name__)


class RecordWriter:
    """Writes one file; for one thread at a time. A failure to write ends the recording, not the server."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        """Create the file, which only the user can read. If it exists, a number is added to its name.

        Raises:
            UsageError: it cannot be created.
        """
        self.path, self._file = _create(path)
        self._left = max_bytes
        self.write(Begun(format=FORMAT, midfill=__version__))

    def write(self, event: Event) -> None:
        """Write an event, if the file has room for it and for all before it."""
        if self._file.closed:
            return
        line = to_line(event)
        self._left -= len(line)
        full = self._left < 0
        try:
            self._file.write(to_line(Full()) if full else line)
            self._file.flush()  # what killed the server must be in it
        except OSError as error:
            _log.error("The session is no longer recorded: %s", error)
            full = True
        if full:
            self.close()

    def close(self) -> None:
        """End the file."""
        with contextlib.suppress(OSError):  # what could not be written was said already
            self._file.close()


def read_events(path: Path) -> Iterator[tuple[int, Event]]:
    """Yield the events of a file after the first one, each with the number of its line.

    A last line without an end is left out: the server was killed while it wrote it.

    Raises:
        RecordError: the file cannot be read, is no recorded session, or is damaged.
    """
    number = 0
    for number, line in enumerate(_lines(path), 1):
        try:
            event = from_line(line)
        except ValueError:
            raise damaged(path, number) if number > 1 else _foreign(path) from None
        if number > 1:
            yield number, event
        elif not isinstance(event, Begun) or event.format < 1:
            raise _foreign(path)
        elif event.format > FORMAT:
            version = ascii(event.midfill[:_SHOWN])  # it is a stranger's text
            raise RecordError(f"{path} was recorded by Midfill {version}, a newer one: upgrade Midfill.")
    if not number:
        raise _foreign(path)


def damaged(path: Path, line: int) -> RecordError:
    """Return the error for a line that cannot be true."""
    return RecordError(f"{path} is damaged at line {line}: record the session again.")


def _create(path: Path) -> tuple[Path, BinaryIO]:
    for number in range(1, _MAX_NAMES):
        numbered = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            descriptor = os.open(numbered, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except FileExistsError:
            continue
        except (OSError, ValueError) as error:
            why = explain(error) if isinstance(error, OSError) else "the name is wrong"
            raise UsageError(f"The session cannot be recorded in {numbered}: {why}.") from error
        return numbered, os.fdopen(descriptor, "wb")
    raise UsageError(f"There are {_MAX_NAMES} recorded sessions with the name of {path}: remove some.")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a regular file of bounded size."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > 2 * MAX_BYTES:
                raise RecordError(f"{path} is larger than any recorded session: give another file.")
            while (line := file.readline(2 * MAX_BYTES)).endswith(b"\n"):
                yield line
    except NotRegular:
        raise _foreign(path) from None
    except (OSError, ValueError) as error:
        why = explain(error) if isinstance(error, OSError) else "the name is wrong"
        raise RecordError(f"{path} cannot be read: {why}.") from error


def _foreign(path: Path) -> RecordError:
    return RecordError(f"{path} is no session that Midfill has recorded: make one with `midfill serve --record FILE`.")
