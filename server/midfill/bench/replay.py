"""Keystroke replay: text is typed at a human pace, and every keystroke requests a suggestion.

The typed text is known (:mod:`midfill.bench.scenes`), so each answer can be judged. Definitions:

* The *answer* to a keystroke is the suggestion that arrives before the next keystroke. The next keystroke withdraws
  the request.
* A suggestion is *right* if its first line is the whole rest of the cursor's line.
* A keystroke that ends its line is typed but not counted, because nothing of the line is left to suggest.
* The replay itself caches and filters nothing. A server that answers at once because the last suggestion still fits
  gets the credit for that. A server that leaves this to the editor does not.
* *Kept* characters are defined in :mod:`midfill.bench.kept`.
* *Acceptance* is simulated on the recording. The user accepts the first right suggestion of each line. The remaining
  keystrokes of that line, and the tokens computed for them, are then not counted. All other keystrokes are typed.
"""

from __future__ import annotations

import concurrent.futures
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from midfill.bench.figures import percentile
from midfill.bench.scenes import Key, Scene


class Suggester(Protocol):
    """What the replay types into."""

    def open(self, scene: Scene) -> None:
        """Open the scene's document."""

    def type(self, offset: int, text: str) -> Future[str]:
        """Insert ``text`` at ``offset`` and request a suggestion after it; "" means that there is none."""

    def withdraw(self) -> None:
        """Cancel the last request if it is not answered yet."""

    def close(self) -> None:
        """Close the document, and wait until nothing is computed any more."""

    @property
    def tokens_computed(self) -> int | None:
        """Tokens that the model has computed so far, for prompts, drafts and suggestions; None if it is unknown."""


@dataclass(frozen=True)
class Keystroke:
    """One keystroke and its answer."""

    following: str
    """All that was still to be typed."""
    seconds: float
    """Time from the keystroke to its answer; infinite if the next keystroke came first."""
    suggestion: str
    tokens_computed: int | None
    """Tokens computed from this keystroke to the next; None if it is unknown."""

    @property
    def rest(self) -> str:
        """The rest of the line, which was still to be typed."""
        return self.following.partition("\n")[0]

    @property
    def counts(self) -> bool:
        """Whether a part of the line was left to suggest."""
        return bool(self.rest.strip())

    @property
    def is_right(self) -> bool:
        """Whether the answer is the whole rest of the line."""
        return self.counts and self.suggestion.partition("\n")[0].rstrip() == self.rest.rstrip()


def play(
    scene: Scene, keys: Sequence[Key], pauses: Sequence[float], suggester: Suggester, reading: float = 0.0
) -> list[Keystroke]:
    """Type ``keys`` into ``scene``, each followed by its pause in seconds; ``reading`` comes before the first."""
    suggester.open(scene)
    time.sleep(reading)
    offset = len(scene.before)
    strokes = []
    due = time.perf_counter()
    for key, pause in zip(keys, pauses, strict=True):
        computed = suggester.tokens_computed
        pressed = time.perf_counter()
        due = max(due, pressed) + pause
        suggester.withdraw()
        suggestion = suggester.type(offset, key.text)
        offset += len(key.text)
        try:
            text = suggestion.result(timeout=max(due - time.perf_counter(), 0.0))
            seconds = time.perf_counter() - pressed
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            text, seconds = "", math.inf
        time.sleep(max(due - time.perf_counter(), 0.0))
        after = suggester.tokens_computed
        following = scene.typed[offset - len(scene.before) :]
        tokens = None if computed is None or after is None else after - computed
        strokes.append(Keystroke(following, seconds, text, tokens))
    suggester.withdraw()
    suggester.close()
    return strokes


def share_right_within(strokes: Sequence[Keystroke], seconds: float) -> float:
    """Return the share of counted keystrokes, 0 to 1, that had a right suggestion after ``seconds`` at most."""
    counted = [stroke for stroke in strokes if stroke.counts]
    return sum(stroke.is_right and stroke.seconds <= seconds for stroke in counted) / max(len(counted), 1)


def answer_percentile(strokes: Sequence[Keystroke], percent: float) -> float | None:
    """Return the seconds within which ``percent`` of the counted keystrokes were answered; None if fewer were."""
    return percentile([stroke.seconds for stroke in strokes if stroke.counts], percent)


@dataclass(frozen=True)
class SimulatedAcceptance:
    """The totals for a user who accepts the first right suggestion of each line."""

    typed: int
    """Number of keystrokes."""
    accepted: int
    """Number of characters that came from accepted suggestions."""
    tokens_computed: int | None
    """Tokens computed for the typed keystrokes; None if it is unknown."""

    @property
    def tokens_per_character(self) -> float | None:
        """Tokens computed per accepted character; None if no character was accepted, or the tokens are unknown."""
        return None if self.tokens_computed is None or not self.accepted else self.tokens_computed / self.accepted


def simulate_acceptance(strokes: Sequence[Keystroke]) -> SimulatedAcceptance:
    """Simulate acceptance on recorded keystrokes, as defined at the top of this module."""
    typed = list(_typed(strokes))
    computed = [stroke.tokens_computed for stroke in typed]
    return SimulatedAcceptance(
        typed=len(typed),
        accepted=sum(len(stroke.rest) for stroke in typed if stroke.is_right),
        tokens_computed=sum(count for count in computed if count is not None) if None not in computed else None,
    )


def _typed(strokes: Sequence[Keystroke]) -> Iterator[Keystroke]:
    """Yield the keystrokes without those that an accepted suggestion replaces, up to the end of its line."""
    replaced = False
    for stroke in strokes:
        if not replaced:
            yield stroke
            replaced = stroke.is_right
        if not stroke.rest:  # the line's last character: the next keystroke is a newline
            replaced = False
