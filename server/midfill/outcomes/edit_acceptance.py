"""Counts which predicted edits are shown, which are applied, and which are still there half a minute later.

The counts contain no text and stay on this machine; `midfill stats` prints them.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from midfill.common.clock import Clock, LoopClock
from midfill.outcomes.acceptance import STILL_THERE_AFTER, CurrentText
from midfill.outcomes.counters import Counters

_MAX_EDITS = 64
"""Maximum number of edits that are remembered, so that each counts once."""


class EditAcceptance:
    """Counts the edits of one client; for use on one event loop."""

    def __init__(self, statistics: Counters, current_text: CurrentText, clock: Clock | None = None) -> None:
        """Add to ``statistics``; ``current_text`` returns the current text of a document."""
        self._statistics = statistics
        self._current_text = current_text
        self._clock = clock or LoopClock()
        self._applied: OrderedDict[int, bool] = OrderedDict()
        """Whether each edit that was shown was applied, by its number."""

    def shown(self, number: int) -> None:
        """Count an edit as shown, once."""
        if number not in self._applied:
            self._applied[number] = False
            while len(self._applied) > _MAX_EDITS:
                self._applied.popitem(last=False)
            self._statistics.count("edits shown")
            self._statistics.save()

    def applied(self, number: int, path: str, text: str) -> None:
        """Count an edit as applied, once; ``text`` is what it inserted. It was shown, even if no client said so."""
        self.shown(number)
        if self._applied[number]:
            return
        self._applied[number] = True
        self._statistics.count("edits applied")
        self._statistics.save()
        self._clock.call_later(STILL_THERE_AFTER, partial(self._look_again, path, text))

    def _look_again(self, path: str, text: str) -> None:
        current = self._current_text(path)
        if current is not None and text.strip() in current:
            self._statistics.count("edits kept")
            self._statistics.save()
