"""Splits a byte stream of the language server protocol into messages, and finds the next one after any fault.

A message is a header with the line ``Content-Length: N``, an empty line, and a body of N bytes. The body is JSON. JSON
has no line end inside a string, so the bytes of a ``Content-Length`` line are never part of a body. Wherever such a
line stands, a message begins. So a wrong length loses one message at most, and none if it is too large.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

MAX_BODY_BYTES = 1 << 28
"""Maximum length of a body. A longer one would not fit into the memory of many machines once it is parsed."""
_MAX_LINE = 512
"""Maximum number of bytes of a line in a header."""
_TYPE = rb"content-type[ \t]{0,8}:[^\r\n]{0,256}\r?\n"
_LENGTH = re.compile(rb"(?:%s)?content-length[ \t]{0,8}:[ \t]{0,8}(\d{1,20})[ \t]{0,8}\r?\n" % _TYPE, re.IGNORECASE)
_IDLE = re.compile(rb"(?:\s|%s)*" % _TYPE, re.IGNORECASE)
"""What may stand before the line with the length."""
_CUT_TYPE = rb"content-type[ \t]{0,8}:[\w/;=. -]{0,256}\r?"
_CUT_LINE = re.compile(
    rb"(?:%s\n)?(?:%s|content-length[ \t]{0,8}:?[ \t]{0,8}\d{0,20}[ \t]{0,8}\r?)" % (_CUT_TYPE, _CUT_TYPE),
    re.IGNORECASE,
)
"""The beginning of what :data:`_LENGTH` matches, from the end of a name on."""
_NAMES = (b"content-length", b"content-type")
_log = logging.getLogger(__name__)


class MessageSplitter:
    """Takes the bytes of a stream as they come, in pieces of any size; the messages do not depend on the pieces.

    Names in headers may have any case, and lines may end with LF alone. The empty line may be missing. It keeps no more
    than it was given, and at most :data:`MAX_BODY_BYTES` and one piece.
    """

    def __init__(self) -> None:
        self._step: Callable[[], bool] = self._find_header
        self._bytes = bytearray()
        """What has come and is not split yet."""
        self._before = b""
        """Bytes before that which may hold the beginning of a header: a length was too large, or the place is lost."""
        self._length = 0
        self._searched = 0
        """How many bytes of an unfinished body were searched for the header of the next message."""
        self._is_lost = False
        self._found: list[bytes | None] = []

    def feed(self, piece: bytes) -> list[bytes | None]:
        """Add bytes; return the bodies that they complete, in order, with None where bytes belong to no message."""
        self._bytes += piece
        while self._step():
            pass
        found, self._found = self._found, []
        return found

    def end(self) -> None:
        """Log it if the stream has ended within a message."""
        if self._bytes or self._step != self._find_header:
            _log.warning("The input ended within a message")

    # Each step returns whether the next one can go on with the bytes that are there.

    def _find_header(self) -> bool:
        line = None
        if not self._before:
            idle = _IDLE.match(self._bytes)
            del self._bytes[: idle.end() if idle else 0]
            line = _LENGTH.match(self._bytes)
        if line is not None:
            return self._begin(int(line[1]), line.end())
        known = self._before + self._bytes
        line = _LENGTH.search(known)
        if line is not None:
            if line.start() > 0:
                self._lose("The input has bytes that are no message")
            return self._begin(int(line[1]), line.end() - len(self._before))
        if self._bytes and (self._is_lost or not _may_become_header(known)):
            self._lose("The input has no valid header where a message should begin; the next one is looked for")
            self._before = bytes(known[-_MAX_LINE:])
            self._bytes.clear()
        return False

    def _lose(self, why: str) -> None:
        if not self._is_lost:
            _log.warning(why)
            self._is_lost = True
            self._found.append(None)

    def _begin(self, length: int, end: int) -> bool:
        """Take in the line with the length, which ends at ``end``."""
        del self._bytes[:end]
        self._before = b""
        if length > MAX_BODY_BYTES:
            self._step = self._find_header
            self._lose("The input announces a message that is too long, and that is left out")
        else:
            self._is_lost, self._length, self._searched = False, length, 0
            self._step = self._read_header
        return True

    def _read_header(self) -> bool:
        """Take in the rest of the header."""
        start = bytes(self._bytes[:_MAX_LINE])
        end = start.find(b"\n") + 1
        line = start[:end]
        begins_body = start.lstrip()[:1] in (b"{", b"[") or (not end and len(start) == _MAX_LINE)
        if line.strip() and not begins_body:
            again = _LENGTH.search(line)
            if again:
                return self._begin(int(again[1]), end)
            del self._bytes[:end]
            return True
        if line and not line.strip():
            del self._bytes[:end]
        elif not begins_body:
            return False
        self._step = self._read_body
        return True

    def _read_body(self) -> bool:
        available = min(len(self._bytes), self._length)
        # Most bodies have no line end, and looking for one is much faster than the expression.
        if self._bytes.find(b"\n", self._searched, available) >= 0:
            line = _LENGTH.search(self._bytes, max(0, self._searched - _MAX_LINE), available)
            if line is not None:
                _log.warning("A message is shorter than its header says")
                return self._finish(line.start())
        self._searched = available
        return available == self._length and self._finish(self._length)

    def _finish(self, length: int) -> bool:
        body = bytes(self._bytes[:length])
        del self._bytes[:length]
        end = _end_of(body)
        if end < length:
            _log.warning("A message is shorter than its header says")
        body, self._before = body[:end], body[end:]
        self._found.append(body)
        self._step = self._find_header
        return True


def _end_of(body: bytes) -> int:
    """Return where a body ends, which may be before the beginning of a header; that is not whole."""
    if body.endswith((b"}", b"]")):
        return len(body)
    starts = (at for at in range(max(0, len(body) - _MAX_LINE), len(body)) if body[at] in b"cC")
    return next((at for at in starts if _is_cut_header(body[at:])), len(body))


def _is_cut_header(end: bytes) -> bool:
    return bool(_CUT_LINE.fullmatch(end)) or any(name.startswith(end.lower()) for name in _NAMES)


def _may_become_header(known: bytes) -> bool:
    """Return whether a line with a length may follow: what is known is the beginning of that, or stands before it."""
    idle = _IDLE.match(known)
    start = known[idle.end() if idle else 0 :].lower()
    return b"\n" not in start and len(known) < _MAX_LINE and any(name.startswith(start[: len(name)]) for name in _NAMES)
