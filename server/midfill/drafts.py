"""Drafts for speculative decoding, looked up rather than computed: code repeats itself.

The next tokens are guessed to be those that followed the last few tokens when they stood somewhere before: in the
prompt (both sides of the cursor) or in the text decoded so far. One step of the model then checks the whole guess; on a
CPU sixteen tokens cost little more than one. The method is prompt lookup decoding (A. Saxena, 2023) and LLMA
(arXiv:2304.04487); how much to guess follows what was accepted and what the steps cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

_SHORTEST, _LONGEST = 2, 8
"""Lengths of the run of last tokens that is looked up: a longer match is more often right."""
_FADE = 0.95
"""Weight of a guess after each further step."""
_STEPS_REMEMBERED = 64
_SECONDS_PER_GUESS = 0.0015
"""Assumed while every remembered step had the same number of guesses."""


class Drafter:
    """Looks up what followed the last tokens, in one text that grows at its end."""

    def __init__(self, tokens: Sequence[int], room: int) -> None:
        """Start with ``tokens``; at most ``room`` more will be appended."""
        self._tokens = np.empty(len(tokens) + room, np.int64)
        self._tokens[: len(tokens)] = tokens
        self._end = len(tokens)

    def append(self, token: int) -> None:
        """Add the next token."""
        self._tokens[self._end] = token
        self._end += 1

    def propose(self, limit: int) -> list[int]:
        """Return up to ``limit`` tokens that followed the longest known run at the end; [] when none is known."""
        tokens = self._tokens[: self._end]
        if self._end <= _SHORTEST:
            return []
        places = np.flatnonzero((tokens[1:-1] == tokens[-1]) & (tokens[:-2] == tokens[-2])) + _SHORTEST
        if not places.size:
            return []
        for length in range(_SHORTEST + 1, min(_LONGEST, self._end - 1) + 1):
            longer = places[(places >= length) & (tokens[places - length] == tokens[-length])]
            if not longer.size:
                break
            places = longer
        start = int(places[-1])  # the latest: what is near is more alike
        proposal: list[int] = tokens[start : start + limit].tolist()
        return proposal


class DraftLength:
    """How many tokens to guess: the number that gives most tokens a second, by what was seen lately."""

    def __init__(self, longest: int = 16) -> None:
        """Start undecided; guess at most ``longest`` tokens at once, 0 for none ever."""
        self._longest = longest
        self._right, self._wrong = 4.0, 2.0  # as if some had been seen, so that the first do not decide
        self._steps = deque([(0, 0.045), (longest, 0.070)], maxlen=_STEPS_REMEMBERED)  # (guessed, seconds)

    @property
    def acceptance(self) -> float:
        """Share of guessed tokens that were right, the latest weighing most."""
        return self._right / (self._right + self._wrong)

    def choose(self) -> int:
        """Return the length that gives the most tokens for its time; at least 1, or nothing would be learnt."""
        if not self._longest:
            return 0
        slope, base = self._cost_line()

        def speed(length: int) -> float:
            kept = sum(self.acceptance**n for n in range(1, length + 1))
            return (1 + kept) / (base + slope * length)

        return max(range(1, self._longest + 1), key=speed)

    def learn(self, accepted: int, guessed: int, seconds: float) -> None:
        """Take in a step: how many of ``guessed`` tokens were right before the first wrong one, and its time."""
        if guessed:
            self._right = self._right * _FADE + accepted
            self._wrong = self._wrong * _FADE + (accepted < guessed)
        self._steps.append((guessed, seconds))

    def _cost_line(self) -> tuple[float, float]:
        """Fit seconds = base + slope * guessed through the remembered steps; neither is less than nothing."""
        guessed, seconds = np.array(self._steps).T
        spread = float(guessed.var())
        slope = float(((guessed - guessed.mean()) * seconds).mean()) / spread if spread else _SECONDS_PER_GUESS
        base = float(seconds.mean()) - slope * float(guessed.mean())
        return max(slope, 0.0), max(base, 1e-4)
