"""Drafts for speculative decoding that are looked up, because code repeats itself.

The last few tokens are searched for in the prompt (both sides of the cursor), in the text decoded so far, and in other
texts (:mod:`midfill.inference.draft_corpus`). The tokens that followed them there are the draft. One step of the model
then checks the whole draft; on a CPU, sixteen tokens cost little more than one. The method is prompt lookup decoding
(A. Saxena, 2023) and LLMA (arXiv:2304.04487). The length of a draft depends on how many draft tokens were accepted
lately, and on what a step costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEPARATOR = -1
"""Stands between sequences that do not follow each other. No token id is equal to it."""
NO_DRAFTS: NDArray[np.int32] = np.empty(0, np.int32)

_MIN_MATCH, _MAX_MATCH = 2, 8
"""Number of last tokens that are searched for. The longest match wins, because its draft is accepted most often."""
_MAX_PLACES = 500
"""Maximum number of places that are compared, from the end. A table of zeros has the same two tokens everywhere."""
_DECAY = 0.95
"""Factor by which the weight of a checked draft token shrinks with each later step."""
_MAX_STEPS = 64
"""Maximum number of steps whose times are remembered."""
_LONGEST_PAUSE = 32
"""Number of steps without a draft after which one is tried again."""
_ASSUMED_COST = 1 / 30
"""Assumed time of one more draft token, divided by the time of a step without a draft. Measured steps replace it."""
_ASSUMPTION_WEIGHT = 32.0
"""Weight of that assumption, as a sum of squared deviations of the draft lengths. Two steps, one without a draft and
one with eight draft tokens, weigh as much."""


class PromptLookup:
    """Looks up drafts in a text that grows at its end, and in a corpus of other texts."""

    def __init__(self, tokens: Sequence[int], room: int, corpus: NDArray[np.int32] = NO_DRAFTS) -> None:
        """Start with ``tokens``.

        Args:
            tokens: the text so far, as token ids.
            room: maximum number of tokens that will be appended.
            corpus: token ids (N,) of other texts. Each text ends with a ``SEPARATOR``; the most relevant one is last.
        """
        self._tokens = np.empty(len(tokens) + room, np.int32)
        self._tokens[: len(tokens)] = tokens
        self._end = len(tokens)
        self._corpus = corpus

    def append(self, token: int) -> None:
        """Append the next token of the text."""
        self._tokens[self._end] = token
        self._end += 1

    def propose(self, limit: int) -> list[int]:
        """Return a draft of up to ``limit`` tokens: those after the longest match of the last tokens; [] for no match.

        Of matches of the same length, one in the text wins over one in the corpus, and a later one over an earlier one:
        what is near is more similar.
        """
        text = self._tokens[: self._end]
        last_tokens = text[-_MAX_MATCH:]
        length, start = _longest_match(text, last_tokens)
        corpus_length, corpus_start = _longest_match(self._corpus, last_tokens)
        if corpus_length > length:
            text, start = self._corpus, corpus_start
        elif not length:
            return []
        draft: list[int] = text[start : start + limit].tolist()
        return draft[: draft.index(SEPARATOR)] if SEPARATOR in draft else draft


def _longest_match(text: NDArray[np.int32], last_tokens: NDArray[np.int32]) -> tuple[int, int]:
    """Find the longest end of ``last_tokens`` that occurs in ``text`` with something after it.

    Returns:
        Its length (0 if it is shorter than ``_MIN_MATCH``), and the index after its latest occurrence.
    """
    if len(last_tokens) < _MIN_MATCH or len(text) <= _MIN_MATCH:
        return 0, 0
    places = np.flatnonzero((text[1:-1] == last_tokens[-1]) & (text[:-2] == last_tokens[-2])) + _MIN_MATCH
    places = places[text[places] != SEPARATOR][-_MAX_PLACES:]
    if not places.size:
        return 0, 0
    length = _MIN_MATCH
    while length < len(last_tokens):
        longer = places[places > length]
        longer = longer[text[longer - length - 1] == last_tokens[-length - 1]]
        if not longer.size:
            break
        places, length = longer, length + 1
    return length, int(places[-1])


class DraftLength:
    """Chooses the length of drafts: the one that gives most tokens a second, as far as the latest steps show."""

    def __init__(self, max_tokens: int = 16, assumed_cost: float = _ASSUMED_COST, *, may_pause: bool = False) -> None:
        """Choose at most ``max_tokens``; 0 turns drafts off.

        Args:
            max_tokens: maximum length.
            assumed_cost: assumed time of one more draft token, divided by the time of a step without a draft, until
                steps were measured.
            may_pause: whether no draft at all is chosen where none pays. Now and then one is tried nevertheless.
        """
        self._max_tokens = max_tokens
        self._assumed_cost = assumed_cost
        self._may_pause = may_pause
        self._paused = 0  # number of choices without a draft since the last one with a draft
        self._accepted, self._rejected = 4.0, 2.0  # a prior, so that the first few drafts do not decide alone
        self._steps: deque[tuple[int, float]] = deque(maxlen=_MAX_STEPS)  # (draft tokens, seconds)

    @property
    def acceptance(self) -> float:
        """Fraction of the draft tokens that were accepted, 0 to 1. The latest ones have most weight."""
        return self._accepted / (self._accepted + self._rejected)

    def choose(self) -> int:
        """Return the length that gives most tokens a second.

        It is at least 1, unless drafts may pause: without drafts, nothing is learnt.
        """
        if not self._max_tokens:
            return 0
        cost = self._cost_of_draft_token()

        def speed(length: int) -> float:
            accepted = sum(self.acceptance**n for n in range(1, length + 1))
            return (1 + accepted) / (1 + cost * length)

        best = max(range(1, self._max_tokens + 1), key=speed)
        if self._may_pause and speed(best) <= 1 and self._paused < _LONGEST_PAUSE:
            self._paused += 1
            return 0
        self._paused = 0
        return best

    def learn(self, drafted: int, checked: int, accepted: int, seconds: float | None) -> None:
        """Learn from one step.

        Args:
            drafted: number of draft tokens.
            checked: how many of them the consumer reached.
            accepted: how many of these were accepted.
            seconds: time of the step; None if it also did other work, such as a prefill.
        """
        if checked:
            self._accepted = self._accepted * _DECAY + accepted
            self._rejected = self._rejected * _DECAY + (checked - accepted)
        if seconds is not None:
            self._steps.append((drafted, seconds))

    def _cost_of_draft_token(self) -> float:
        """Return the time of one more draft token divided by the time of a step without a draft; 0 or more.

        A line is fitted to the times of the remembered steps. Its prior slope is the assumed cost, scaled by the mean
        time of a step. So nothing is assumed about the machine's speed, and steps of two lengths are enough to learn.
        """
        if not self._steps:
            return self._assumed_cost
        drafted, seconds = np.array(self._steps).T
        x, y, length = drafted - drafted.mean(), float(seconds.mean()), float(drafted.mean())
        assumed = self._assumed_cost * y / (1 + self._assumed_cost * length)
        slope = max((float(x @ seconds) + _ASSUMPTION_WEIGHT * assumed) / (float(x @ x) + _ASSUMPTION_WEIGHT), 0.0)
        base = y - slope * length
        return slope / max(base, y / 100, 1e-9)  # noise can make the base almost 0 or negative
