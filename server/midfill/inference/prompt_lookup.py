"""Drafts for speculative decoding, looked up rather than computed: code repeats itself.

The next tokens are guessed to be those that followed the last few tokens when they stood somewhere before: in the
prompt (both sides of the cursor), in the text decoded so far, or elsewhere (:mod:`midfill.inference.draft_corpus`).
One step of the model then checks the whole guess; on a CPU sixteen tokens cost little more than one. The method is
prompt lookup decoding (A. Saxena, 2023) and LLMA (arXiv:2304.04487); how much to guess follows what was accepted and
what the steps cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEPARATOR = -1
"""Stands between sequences that do not follow each other; no token is equal to it."""
NO_DRAFTS: NDArray[np.int32] = np.empty(0, np.int32)

_SHORTEST, _LONGEST = 2, 8
"""Lengths of the run of last tokens that is looked up: a longer match is more often right."""
_PLACES = 500
"""Most places compared: of a pair of tokens that stands everywhere, as in a table of zeros, the latest are enough."""
_FADE = 0.95
"""Weight of a guess after each further step."""
_STEPS_REMEMBERED = 64
_GUESS_PER_STEP = 1 / 30
"""What a guess more costs, as a share of a step without any, until this machine has shown its own share."""
_EVIDENCE = 32.0
"""The spread (sum of squares) of the numbers guessed that weighs as much as that assumption: that of two steps, one of
no guesses and one of eight."""


class PromptLookup:
    """Looks up what followed the last tokens, in one text that grows at its end and in others that do not."""

    def __init__(self, tokens: Sequence[int], room: int, elsewhere: NDArray[np.int32] = NO_DRAFTS) -> None:
        """Start with ``tokens``; at most ``room`` more will be appended.

        ``elsewhere`` are other texts, the most telling last, each ended by a SEPARATOR.
        """
        self._tokens = np.empty(len(tokens) + room, np.int32)
        self._tokens[: len(tokens)] = tokens
        self._end = len(tokens)
        self._elsewhere = elsewhere

    def append(self, token: int) -> None:
        """Add the next token."""
        self._tokens[self._end] = token
        self._end += 1

    def propose(self, limit: int) -> list[int]:
        """Return up to ``limit`` tokens that followed the longest known run at the end; [] when none is known.

        Of runs of the same length the text's own comes first, and then the latest: what is near is more alike.
        """
        text = self._tokens[: self._end]
        run = text[-_LONGEST:]
        own, start = _longest_match(text, run)
        other, other_start = _longest_match(self._elsewhere, run)
        if other > own:
            text, start = self._elsewhere, other_start
        elif not own:
            return []
        proposal: list[int] = text[start : start + limit].tolist()
        return proposal[: proposal.index(SEPARATOR)] if SEPARATOR in proposal else proposal


def _longest_match(text: NDArray[np.int32], run: NDArray[np.int32]) -> tuple[int, int]:
    """Find the longest end of ``run`` that ``text`` has with something after it.

    Returns:
        Its length, 0 when it would be less than the shortest, and where its latest occurrence ends.
    """
    if len(run) < _SHORTEST or len(text) <= _SHORTEST:
        return 0, 0
    places = np.flatnonzero((text[1:-1] == run[-1]) & (text[:-2] == run[-2])) + _SHORTEST
    places = places[text[places] != SEPARATOR][-_PLACES:]
    if not places.size:
        return 0, 0
    length = _SHORTEST
    while length < len(run):
        longer = places[places > length]
        longer = longer[text[longer - length - 1] == run[-length - 1]]
        if not longer.size:
            break
        places, length = longer, length + 1
    return length, int(places[-1])


class DraftLength:
    """How many tokens to guess: the number that gives most tokens a second, by what was seen lately."""

    def __init__(self, longest: int = 16) -> None:
        """Start undecided; guess at most ``longest`` tokens at once, 0 for none ever."""
        self._longest = longest
        self._right, self._wrong = 4.0, 2.0  # as if some had been seen, so that the first do not decide
        self._steps: deque[tuple[int, float]] = deque(maxlen=_STEPS_REMEMBERED)  # (guessed, seconds)

    @property
    def acceptance(self) -> float:
        """Share of guessed tokens that were right, the latest weighing most."""
        return self._right / (self._right + self._wrong)

    def choose(self) -> int:
        """Return the length that gives the most tokens for its time; at least 1, or nothing would be learnt."""
        if not self._longest:
            return 0
        cost = self._cost_of_guess()

        def speed(length: int) -> float:
            kept = sum(self.acceptance**n for n in range(1, length + 1))
            return (1 + kept) / (1 + cost * length)

        return max(range(1, self._longest + 1), key=speed)

    def learn(self, guessed: int, checked: int, accepted: int, seconds: float | None) -> None:
        """Take in a step of ``guessed`` tokens and its time; None when it had other work to do as well.

        Of the first ``checked`` of them, which somebody looked at, ``accepted`` were right.
        """
        if checked:
            self._right = self._right * _FADE + accepted
            self._wrong = self._wrong * _FADE + (checked - accepted)
        if seconds is not None:
            self._steps.append((guessed, seconds))

    def _cost_of_guess(self) -> float:
        """Return what one guess more costs, as a share of a step without any: from 0 up.

        A line is fitted through the remembered steps, with the assumed share for a prior, scaled to what this
        machine's steps take; so nothing is assumed of its speed, and two kinds of steps are enough to learn from.
        """
        if not self._steps:
            return _GUESS_PER_STEP
        guessed, seconds = np.array(self._steps).T
        x, y, length = guessed - guessed.mean(), float(seconds.mean()), float(guessed.mean())
        assumed = _GUESS_PER_STEP * y / (1 + _GUESS_PER_STEP * length)
        slope = max((float(x @ seconds) + _EVIDENCE * assumed) / (float(x @ x) + _EVIDENCE), 0.0)
        base = y - slope * length
        return slope / max(base, y / 100, 1e-9)  # a base near nothing comes of noise
