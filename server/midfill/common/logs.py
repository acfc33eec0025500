"""Logging to stderr. No log line can contain document text, at any level.

The formatter enforces three rules, so callers cannot break them:

1. A record of Midfill shows its template. An argument appears only when its type cannot hold document text (numbers,
   paths, exceptions as :func:`describe` shows them) or when it is marked as :class:`PublicText`.
2. A record of another library shows only where it was logged: pygls logs whole message bodies.
3. An exception appears as its class and its traceback's lines, without its message: a message may quote a document.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_MAX_FRAMES = 6
"""Maximum number of traceback lines that describe an exception."""
_log = logging.getLogger(__name__)


class PublicText(str):
    """Text that is certainly not from a document, so that a log may show it."""

    __slots__ = ()


def setup_logging(level: int | str, stream: TextIO | None = None) -> None:
    """Send every log record, warning and uncaught exception to ``stream`` (default: stderr), without document text."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFreeFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # otherwise logging prints the arguments of a record that it cannot write
    # The server reports each failure of pygls itself, with more detail than the place where pygls noticed it.
    debugging = logging.getLogger().isEnabledFor(logging.DEBUG)
    logging.getLogger("pygls").setLevel(logging.NOTSET if debugging else logging.CRITICAL)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread_crash
    sys.unraisablehook = _log_unraisable


def describe(error: BaseException) -> PublicText:
    """Return an exception's class and its traceback's lines, innermost first, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    places = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    cause = f", caused by {describe(error.__cause__)}" if error.__cause__ else ""
    return PublicText(type(error).__qualname__ + (f" at {places}" if places else "") + cause)


class TextFreeFormatter(logging.Formatter):
    """Formats a record as one line that cannot contain document text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        error = record.exc_info[1] if record.exc_info else None
        failure = f" ({describe(error)})" if error else ""
        return f"{self.formatTime(record)} {record.levelname} {record.name}: {_message(record)}{failure}"


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] != "midfill":
        return f"{record.filename}:{record.lineno} {record.funcName}"
    template = str(record.msg).replace("\n", " ")
    if not isinstance(record.args, tuple) or not record.args:
        return template
    try:
        return template % tuple(_public(argument) for argument in record.args)
    except (TypeError, ValueError):  # for example %d with an argument that is not shown
        return template


def _public(argument: object) -> object:
    if argument is None or isinstance(argument, (bool, int, float, PurePath, PublicText)):
        return argument
    if isinstance(argument, BaseException):
        return describe(argument)
    return f"<{type(argument).__name__}>"


def _log_uncaught(_kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("Midfill crashed: %s", describe(error.with_traceback(trace)))


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    _log.critical("A thread of Midfill crashed: %s", crash.exc_value)


def _log_unraisable(crash: UnraisableHookArgs) -> None:
    _log.error("An exception could not be raised: %s", crash.exc_value)
