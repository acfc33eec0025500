"""What became of the suggestions that were shown: accepted, in part, typed, still there half a minute later.

Clients that tell (the Copilot language server's notifications, or the command that an accepted item runs) are believed;
for the others an edit that inserts a suggestion, or its beginning, at its place says the same. Counts stay on this
machine, and hold no text: `midfill stats` shows them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request
from midfill.outcomes.counters import Counters

_REMEMBERED = 64
_STILL_THERE_AFTER = 30.0
"""Seconds, as Copilot's telemetry has it."""

CurrentText = Callable[[str], "str | None"]
"""A document's path -> its text now; None when it is closed."""


@dataclass
class _Shown:
    path: str
    start: int
    text: str
    confidence: float | None
    """Of a suggestion made while typing; None when it was asked for outright, which the gate lets through."""
    state: str = ""
    """"" until it is ``partly`` or ``accepted``."""


class AcceptanceTracker:
    """The last suggestions of one client, for use on one event loop."""

    def __init__(
        self, statistics: Counters, current_text: CurrentText, still_there_after: float = _STILL_THERE_AFTER
    ) -> None:
        """Count in ``statistics``; look at ``current_text`` so many seconds after a suggestion was accepted."""
        self._statistics = statistics
        self._current_text = current_text
        self._still_there_after = still_there_after
        self._shown: OrderedDict[int, _Shown] = OrderedDict()

    def answered(self, number: int, request: Request, completion: Completion) -> None:
        """Count an answer; a suggestion is taken for shown."""
        self._statistics.count("requests")
        if not completion.text:
            self._statistics.count_reason(completion.reason)
            return
        if any(
            old.path == request.path
            and completion.start >= old.start
            and request.text.startswith(old.text[: completion.start - old.start], old.start)
            and old.text[completion.start - old.start :] == completion.text
            for old in self._shown.values()
        ):
            return  # the rest of what is shown already
        sure = confidence(completion.logprobs) if request.automatic else None
        self._shown[number] = _Shown(request.path, completion.start, completion.text, sure)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        self._statistics.count("shown")
        self._statistics.count("characters shown", len(completion.text))
        if sure is not None:
            self._statistics.count_confidence("shown", sure)

    def inserted(self, path: str, start: int, text: str) -> None:
        """Take note of an edit that inserts ``text`` at ``start`` of a document, and replaces nothing before it."""
        for number, shown in reversed(self._shown.items()):
            typed = start - shown.start
            if shown.path != path or not 0 <= typed < len(shown.text) or not text:
                continue
            rest = shown.text[typed:]
            if text == rest and (len(text) > 1 or typed):
                self.accepted(number, len(rest), typed_through=typed > 0 and len(text) == 1)
                return
            if len(text) > 1 and rest.startswith(text):
                self.partly_accepted(number, len(text))
                return

    def accepted(self, number: int, length: int, *, typed_through: bool = False) -> None:
        """Count a suggestion as accepted to its end, once."""
        shown = self._shown.get(number)
        if shown is None or shown.state == "accepted":
            return
        shown.state = "accepted"
        if shown.confidence is not None:
            self._statistics.count_confidence("accepted", shown.confidence)
        if typed_through:
            self._statistics.count("typed through")
            return
        self._statistics.count("accepted")
        self._statistics.count("characters accepted", length)
        asyncio.get_running_loop().call_later(self._still_there_after, self._look_again, shown)

    def partly_accepted(self, number: int, length: int) -> None:
        """Count a suggestion of which a part was taken, once; all characters taken count."""
        shown = self._shown.get(number)
        if shown is None or shown.state == "accepted":
            return
        if not shown.state:
            shown.state = "partly"
            self._statistics.count("partly accepted")
        self._statistics.count("characters accepted", length)

    def _look_again(self, shown: _Shown) -> None:
        text = self._current_text(shown.path)
        if text is not None:
            self._statistics.count("still there" if shown.text.strip() in text else "changed since")
