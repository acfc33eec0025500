"""Keystroke replay: somebody types at a human pace, and every keystroke asks for a suggestion.

What is typed is known (:mod:`midfill.bench.scenes`), so each answer can be judged. Definitions:

* A keystroke's *answer* is the suggestion that arrives before the next keystroke; that one withdraws the question.
* A suggestion is *right* when its first line is all that is still to be typed on the cursor's line.
* Keystrokes that end their line are typed but not counted: nothing of the line is left to suggest.
* Nothing is cached or filtered here. Who answers at once because the last suggestion still holds gets the credit;
  who leaves that to the editor does not.
* *Acceptance* is simulated on what was recorded: the user takes the first right suggestion of a line, and the
  keystrokes to the line's end, and what was computed for them, are spared. All other keystrokes are typed.
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
    """Something to type into."""

    def open(self, scene: Scene) -> None:
        """Show a document."""

    def type(self, offset: int, text: str) -> Future[str]:
        """Insert ``text`` at ``offset`` and ask for what follows it; "" is the answer that there is nothing."""

    def withdraw(self) -> None:
        """Take back the question if it is still open."""

    def close(self) -> None:
        """Put the document away, and wait until nothing is computed any more."""

    @property
    def tokens_computed(self) -> int | None:
        """Tokens put through the model so far, of prompts, drafts and suggestions; None if that cannot be known."""


@dataclass(frozen=True)
class Stroke:
    """One keystroke and what came of it."""

    rest: str
    """What was still to be typed on the line."""
    seconds: float
    """From the keystroke to its answer; infinite when the next keystroke came first."""
    suggestion: str
    tokens_computed: int | None
    """From this keystroke to the next."""

    @property
    def counts(self) -> bool:
        """Whether something of the line was left to suggest."""
        return bool(self.rest.strip())

    @property
    def is_right(self) -> bool:
        """Whether the answer is what was typed next, to the end of the line."""
        return self.counts and self.suggestion.partition("\n")[0].rstrip() == self.rest.rstrip()


def play(scene: Scene, keys: Sequence[Key], pauses: Sequence[float], suggester: Suggester) -> list[Stroke]:
    """Type ``keys`` into ``scene``, each followed by its pause in seconds."""
    suggester.open(scene)
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
        strokes.append(Stroke(key.rest, seconds, text, None if computed is None or after is None else after - computed))
    suggester.withdraw()
    suggester.close()
    return strokes


def share_right_within(strokes: Sequence[Stroke], seconds: float) -> float:
    """Return the share of counted keystrokes, 0 to 1, that had a right suggestion after ``seconds`` at most."""
    counted = [stroke for stroke in strokes if stroke.counts]
    return sum(stroke.is_right and stroke.seconds <= seconds for stroke in counted) / max(len(counted), 1)


def answer_percentile(strokes: Sequence[Stroke], percent: float) -> float | None:
    """Return the seconds within which ``percent`` of the counted keystrokes were answered; None if they were not."""
    return percentile([stroke.seconds for stroke in strokes if stroke.counts], percent)


@dataclass(frozen=True)
class Acceptance:
    """What a user who takes the first right suggestion of each line typed, was given, and made the model compute."""

    typed: int
    """Keystrokes."""
    accepted: int
    """Characters."""
    tokens_computed: int | None

    @property
    def tokens_per_character(self) -> float | None:
        """Tokens computed for each character accepted; None if nothing was."""
        return None if self.tokens_computed is None or not self.accepted else self.tokens_computed / self.accepted


def accept(strokes: Sequence[Stroke]) -> Acceptance:
    """Simulate acceptance on recorded keystrokes."""
    typed = list(_typed(strokes))
    computed = [stroke.tokens_computed for stroke in typed]
    return Acceptance(
        typed=len(typed),
        accepted=sum(len(stroke.rest) for stroke in typed if stroke.is_right),
        tokens_computed=sum(count for count in computed if count is not None) if None not in computed else None,
    )


def _typed(strokes: Sequence[Stroke]) -> Iterator[Stroke]:
    """Leave out the keystrokes that a right suggestion spares, up to the end of its line."""
    spared = False
    for stroke in strokes:
        if not spared:
            yield stroke
            spared = stroke.is_right
        if not stroke.rest:  # the line's last character: the next keystroke is a newline
            spared = False
