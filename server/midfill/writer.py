"""Tokens -> suggestions: the text of one prompt, stopped and trimmed while it streams out, and alternatives to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from midfill import postprocess
from midfill.context import Context
from midfill.decode import Deadline, Decoder
from midfill.fim import Prompt
from midfill.healing import Healing, Vocabulary
from midfill.sampling import Choice, Pick, greedy

_TRIES = 2
"""Branches followed for each alternative wanted: some end in a text that was there already."""


@dataclass(frozen=True)
class Written:
    """A suggestion, or the reason code why it is none, and the tokens it was made of."""

    text: str
    reason: str
    choices: list[Choice]
    """Up to the end of the text."""
    tokens: int
    """Decoded, with those that were cut off again."""

    @property
    def logprobs(self) -> tuple[float, ...]:
        """Log-probabilities of the tokens up to the end of the text."""
        return tuple(choice.logprob for choice in self.choices)


class Writer:
    """Writes the suggestions of one request: all after one prompt, by one deadline."""

    def __init__(
        self,
        prompt: Prompt,
        context: Context,
        vocabulary: Vocabulary,
        to_text: Callable[[Sequence[int]], str],
        *,
        max_tokens: int,
        max_lines: int,
        stop_tokens: Container[int],
        deadline: Deadline,
        one_statement: bool = False,
        pick: Pick = greedy,
    ) -> None:
        self._prompt = prompt
        self._context = context
        self._vocabulary = vocabulary
        self._to_text = to_text
        self._max_tokens = max_tokens
        self._max_lines = max_lines
        self._stop_tokens = stop_tokens
        self._deadline = deadline
        self._one_statement = one_statement
        self._pick = pick
        self.choices: list[Choice] = []
        """Of the latest text so far, also after it was interrupted."""
        self.text = ""
        """The latest text so far."""

    def write(self, decoder: Decoder, head: Sequence[Choice] = ()) -> Written:
        """Write what follows the prompt and begins with ``head``.

        Raises:
            Cancelled, ModelError: as :meth:`midfill.decode.Decoder.generate`.
        """
        if not self._prompt.ids:  # a model without FIM tokens, at the start of a document
            return Written("", "blank", [], 0)
        taken_back = self._prompt.taken_back
        healing = Healing(self._vocabulary, "" if taken_back is None else self._vocabulary.text(taken_back))
        choices = self.choices = []
        lengths: list[int] = []  # of the text after each choice
        text = self.text = ""
        with closing(self._choices(decoder, healing, head)) as stream:
            for choice in stream:
                choices.append(choice)
                text = self._to_text([each.token for each in choices])
                text = self.text = postprocess.trim_start(healing.strip(text), self._context)
                lengths.append(len(text))
                if (end := self._find_stop(text)) is not None:
                    text = text[:end]
                    break
        text = postprocess.trim(text, self._context)
        if reason := postprocess.reason_to_drop(text, self._context):
            return Written("", reason, [], len(choices))
        used = next(count for count, length in enumerate(lengths, start=1) if length >= len(text))
        return Written(text, "", choices[:used], len(choices))

    def others(self, decoder: Decoder, first: Written, count: int) -> list[Written]:
        """Write up to ``count`` more, different from ``first`` and from each other, as time allows.

        Each takes another turn where ``first`` was least certain. The cache serves all up to there.

        Raises:
            Cancelled, ModelError: as :meth:`midfill.decode.Decoder.generate`.
        """
        written: list[Written] = []
        for head in branches(first.choices, self._stop_tokens)[: count * _TRIES]:
            if len(written) == count or self._deadline.has_passed:
                break
            other = self.write(decoder, head)
            if self._deadline.has_passed:  # it may be cut short anywhere, and the first is there to be shown
                break
            if not other.reason and other.text not in (first.text, *(each.text for each in written)):
                written.append(other)
        return written

    def _find_stop(self, text: str) -> int | None:
        return postprocess.find_stop(text, self._context, self._max_lines, one_statement=self._one_statement)

    def _choices(self, decoder: Decoder, healing: Healing, head: Sequence[Choice]) -> Generator[Choice]:
        for choice in head:
            healing.take(choice.token)
            yield choice
        if len(head) < self._max_tokens:
            yield from decoder.generate(
                [*self._prompt.ids, *(choice.token for choice in head)],
                healing,
                max_tokens=self._max_tokens - len(head),
                stop_tokens=self._stop_tokens,
                pick=self._pick,
                deadline=self._deadline,
            )


def branches(choices: Sequence[Choice], excluded: Container[int]) -> list[list[Choice]]:
    """Return how else a text might begin: as ``choices`` do up to one of them, and with that one's rival there.

    The smallest gap in probability between the two comes first; rivals that are ``excluded`` (stop tokens) never.
    """

    def gap(place: int) -> float:
        return math.exp(choices[place].logprob) - math.exp(choices[place].rival_logprob)

    places = [place for place, choice in enumerate(choices) if choice.rival >= 0 and choice.rival not in excluded]
    return [
        [*choices[:place], Choice(choices[place].rival, choices[place].rival_logprob, -1, -math.inf)]
        for place in sorted(places, key=gap)
    ]
