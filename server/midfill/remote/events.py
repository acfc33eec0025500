"""Server-sent events, as a server streams them: bytes in, JSON objects out, in bounded memory.

The format is that of the HTML standard, section "Server-sent events". Of an event only its data is used.
"""

from __future__ import annotations

import json
import re
from typing import Any

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a return at the end may be the first half of a line end
_DONE = b"[DONE]"
Event = dict[str, Any]


class NotEvents(ValueError):
    """The bytes are no events, or more than were asked for; the message is a clause that says so."""


class EventReader:
    """Reads the events of one answer."""

    def __init__(self, max_bytes: int) -> None:
        """Read at most ``max_bytes`` bytes in all."""
        self._left = max_bytes
        self._rest = b""
        self._data: list[bytes] = []
        self.is_done = False
        """Whether the server has said that there are no more events."""

    def feed(self, received: bytes) -> list[Event]:
        """Return the events that ``received`` completes.

        Raises:
            NotEvents: they are no JSON objects, or there are too many bytes.
        """
        self._left -= len(received)
        if self._left < 0:
            raise NotEvents("it sends more than was asked for")
        *lines, self._rest = _LINE_END.split(self._rest + received)
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: bytes) -> Event | None:
        """Take a line; return the event that it ends, if it ends one."""
        if line:
            field, _, value = line.partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
            elif field not in (b"", b"event", b"id", b"retry"):
                raise NotEvents("its answer is no stream of events")
            return None
        data, self._data = b"\n".join(self._data), []
        if data == _DONE:
            self.is_done = True
        return parse_object(data) if data and not self.is_done else None


def parse_object(data: bytes) -> Event:
    """Return the JSON object that some bytes are.

    Raises:
        NotEvents: they are not one.
    """
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise NotEvents("its answer is not valid JSON") from None
    if not isinstance(value, dict):
        raise NotEvents("its answer is no JSON object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")
