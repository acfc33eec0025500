"""Counts which suggestions are accepted, partly accepted, or typed, and which are still there half a minute later.

Some clients report an acceptance: by the notifications of the Copilot language server, or by the command that an
accepted item runs. For other clients, an edit that inserts the suggestion or its beginning at its place counts as an
acceptance. The counts contain no text and stay on this machine; `midfill stats` prints them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Concatenate, ParamSpec

from midfill.common.clock import Clock, LoopClock
from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request
from midfill.outcomes.counters import Counters
from midfill.outcomes.weekly import WeeklyCounts

_MAX_SUGGESTIONS = 64
"""Maximum number of suggestions that are remembered."""
STILL_THERE_AFTER = 30.0
"""Seconds after an acceptance at which the text is looked for again, as in Copilot's telemetry."""

_P = ParamSpec("_P")
CurrentText = Callable[[str], "str | None"]
"""Takes a document's path, and returns its current text; None if the document is closed."""


@dataclass
class _Shown:
    path: str
    start: int
    text: str
    confidence: float | None
    """See :func:`midfill.completion.confidence.confidence`; None for an invoked request, which ``minConfidence`` does
    not apply to."""
    language: str = ""
    """The LSP language id."""
    state: str = ""
    """``partly`` or ``accepted``; "" before."""
    taken: int = 0
    """Number of first characters that were accepted, or typed by hand before that."""


def _saving(method: Callable[Concatenate[AcceptanceTracker, _P], None]) -> Callable[..., None]:
    """Write the counts after each call: a server that is killed has lost only what was in flight."""

    @wraps(method)
    def call(self: AcceptanceTracker, *args: _P.args, **options: _P.kwargs) -> None:
        method(self, *args, **options)
        self._statistics.save()
        self._weekly.save()

    return call


class AcceptanceTracker:
    """Tracks the latest suggestions of one client; for use on one event loop."""

    def __init__(
        self,
        statistics: Counters,
        current_text: CurrentText,
        clock: Clock | None = None,
        weekly: WeeklyCounts | None = None,
    ) -> None:
        """Track suggestions.

        Args:
            statistics: the counts to add to.
            current_text: returns the current text of a document.
            clock: tells when it is time to look for an accepted text again; None for the event loop's.
            weekly: the counts by week and language to add to; None for those of this machine.
        """
        self._statistics = statistics
        self._current_text = current_text
        self._clock = clock or LoopClock()
        self._weekly = weekly or WeeklyCounts()
        self._shown: OrderedDict[int, _Shown] = OrderedDict()

    @_saving
    def answered(self, number: int, request: Request, completion: Completion) -> None:
        """Count an answer. A suggestion counts as shown."""
        self._statistics.count("requests")
        count_weekly = partial(self._weekly.count, request.path, request.language)
        count_weekly("requests")
        if not completion.text:
            self._statistics.count_reason(completion.reason)
            count_weekly(f"nothing: {completion.reason}")
            return
        if any(
            old.path == request.path
            and completion.start >= old.start
            and request.text.startswith(old.text[: completion.start - old.start], old.start)
            and old.text[completion.start - old.start :] == completion.text
            for old in self._shown.values()
        ):
            return  # the rest of a suggestion that is already shown
        found = confidence(completion.logprobs) if request.automatic else None
        self._shown[number] = _Shown(request.path, completion.start, completion.text, found, request.language)
        while len(self._shown) > _MAX_SUGGESTIONS:
            self._shown.popitem(last=False)
        self._statistics.count("shown")
        self._statistics.count("characters shown", len(completion.text))
        count_weekly("shown")
        count_weekly("characters shown", len(completion.text))
        self._weekly.count_milliseconds(request.path, request.language, sum(completion.milliseconds.values()))
        if found is not None:
            self._statistics.count_confidence("shown", found)

    @_saving
    def inserted(self, path: str, start: int, text: str) -> None:
        """Note an edit that inserts ``text`` at the offset ``start`` of a document, and replaces nothing before it."""
        for number, shown in reversed(self._shown.items()):
            typed = start - shown.start
            if shown.path != path or not 0 <= typed < len(shown.text) or not text:
                continue
            rest = shown.text[typed:]
            shown.taken = typed
            if text == rest and (len(text) > 1 or typed):
                self.accepted(number, len(rest), typed_through=typed > 0 and len(text) == 1)
                return
            if len(text) > 1 and rest.startswith(text):
                self.partly_accepted(number, len(text))
                return

    @_saving
    def accepted(self, number: int, length: int, *, typed_through: bool = False) -> None:
        """Count a suggestion as accepted to its end; ``length`` is the number of characters inserted last.

        A suggestion counts once. With ``typed_through`` it was typed by hand, and not accepted.
        """
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
        self._weekly.count(shown.path, shown.language, "accepted")
        self._took(shown, length)
        self._clock.call_later(STILL_THERE_AFTER, partial(self._look_again, shown))

    @_saving
    def partly_accepted(self, number: int, length: int) -> None:
        """Count a suggestion as partly accepted, once, and add ``length`` to the accepted characters."""
        shown = self._shown.get(number)
        if shown is None or shown.state == "accepted":
            return
        if not shown.state:
            shown.state = "partly"
            self._statistics.count("partly accepted")
        self._took(shown, length)

    def _took(self, shown: _Shown, length: int) -> None:
        """Count the next ``length`` characters of a suggestion as accepted, and look later how many are still there."""
        taken = shown.text[shown.taken : shown.taken + length]
        shown.taken += length
        self._statistics.count("characters accepted", length)
        self._weekly.count(shown.path, shown.language, "characters accepted", length)
        self._clock.call_later(STILL_THERE_AFTER, partial(self._count_kept, shown, taken))

    @_saving
    def _count_kept(self, shown: _Shown, taken: str) -> None:
        text = self._current_text(shown.path)
        if text is not None:
            kept = kept_characters(taken, text)
            self._statistics.count("characters kept", kept)
            self._weekly.count(shown.path, shown.language, "characters kept", kept)

    @_saving
    def _look_again(self, shown: _Shown) -> None:
        text = self._current_text(shown.path)
        if text is not None:
            self._statistics.count("still there" if shown.text.strip() in text else "changed since")


def kept_characters(taken: str, text: str) -> int:
    """Return how many characters of an accepted text are still there: all, or those of its lines that are in ``text``.

    White space around a line does not count, if the text is not there as a whole.
    """
    if taken in text:
        return len(taken)
    lines = [line.strip() for line in taken.split("\n")]
    return sum(len(line) for line in lines if line and line in text)
