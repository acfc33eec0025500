"""Tokens -> suggestions: the text of one prompt, stopped and trimmed while it streams out, and alternatives to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from midfill import postprocess
from midfill.code.languages import language_of
from midfill.inference.decoder import Deadline, Decoder
from midfill.inference.sampling import Choice, Pick, greedy
from midfill.inference.token_healing import TokenHealing, Vocabulary
from midfill.prompt.context import Context
from midfill.prompt.fim import Prompt

_LIMITS = ("max-tokens", "deadline")
_TRIES = 2
"""Branches followed for each alternative wanted: some end in a text that was there already."""


_UNSURE = "unsure"


@dataclass(frozen=True)
class Written:
    """A suggestion, or the reason code why it is none, and the tokens it was made of."""

    text: str
    reason: str
    choices: list[Choice]
    """Up to the end of the text."""
    tokens: int
    """Decoded, with those that were cut off again."""
    replaces: int = 0
    """How many characters of the line right of the cursor the text takes the place of."""
    changes: tuple[tuple[str, int], ...] = ()
    """What the filters changed: see :class:`midfill.postprocess.Finished`."""
    stopped_by: str = ""
    """The code of the stop that ended the text, or "stop-token", "max-tokens", "deadline" or "unsure"."""

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
        automatic: bool = False,
        language: str = "",
        path: str = "",
        placeholders: Collection[str] = (),
        unfiltered: bool = False,
        min_confidence: float = 0.0,
        pick: Pick = greedy,
    ) -> None:
        """Write for the place that ``context`` gives, with ``one_statement`` to the end of the one that is typed.

        A suggestion that is less likely than ``min_confidence`` to be all right ends with the last line up to which it
        is likelier, if there is one.

        What ``automatic`` and those below it mean, :func:`midfill.postprocess.finish` says.
        """
        self._prompt = prompt
        self._context = postprocess.nearby(context)
        self._vocabulary = vocabulary
        self._to_text = to_text
        self._max_tokens = max_tokens
        self._max_lines = max_lines
        self._stop_tokens = stop_tokens
        self._deadline = deadline
        self._indentation = postprocess.indentation_of(self._context)
        self._one_statement = one_statement
        self._place = postprocess.place_of(self._context, language_of(path, language)) if one_statement else ""
        self._finish = partial(
            postprocess.finish,
            context=self._context,
            automatic=automatic,
            language=language,
            path=path,
            placeholders=placeholders,
            unfiltered=unfiltered,
        )
        self._least_log_probability = math.log(min_confidence) if min_confidence else -math.inf
        self._pick = pick
        self.choices: list[Choice] = []
        """Of the latest text so far, also after it was interrupted."""
        self.text = ""
        """The latest text so far."""

    def write(self, decoder: Decoder, head: Sequence[Choice] = ()) -> Written:
        """Write what follows the prompt and begins with ``head``.

        Raises:
            Cancelled, ModelError: as :meth:`midfill.inference.decoder.Decoder.generate`.
        """
        if not self._prompt.ids:  # a model without FIM tokens, at the start of a document
            return Written("", "blank", [], 0)
        taken_back = self._prompt.taken_back
        healing = TokenHealing(self._vocabulary, "" if taken_back is None else self._vocabulary.text(taken_back))
        choices = self.choices = []
        lengths: list[int] = []  # of the text after each choice
        raw = text = self.text = ""
        log_probability, sure = 0.0, 0  # of all so far; and how much of the text is likely enough
        with closing(self._choices(decoder, healing, head)) as stream:
            for choice in stream:
                choices.append(choice)
                text = self._to_text([each.token for each in choices])
                raw = healing.strip(text)
                text = self.text = postprocess.begin(raw, self._context, self._indentation)
                lengths.append(len(text))
                log_probability += choice.logprob
                if log_probability >= self._least_log_probability:
                    sure = len(text)
                ending = self._find_stop(text)
                if sure < (ending.end if ending else len(text)):
                    text, stopped_by = _whole_lines(text, sure), _UNSURE
                    break
                if ending:
                    text, stopped_by = text[: ending.end], ending.code
                    break
            else:
                stopped_by = self._ran_out(len(choices))
        if not text and stopped_by == _UNSURE:
            return Written("", _UNSURE, [], len(choices), stopped_by=stopped_by)
        finished = self._finish(text, cut_short=stopped_by in _LIMITS)
        used = next((count for count, length in enumerate(lengths, start=1) if length >= finished.kept), 0)
        return Written(
            finished.text,
            finished.reason,
            [] if finished.reason else choices[:used],
            len(choices),
            replaces=finished.replaces,
            changes=(*postprocess.changes_at_begin(raw, self._context, self._indentation), *finished.changes),
            stopped_by=stopped_by,
        )

    def others(self, decoder: Decoder, first: Written, count: int) -> list[Written]:
        """Write up to ``count`` more, different from ``first`` and from each other, as time allows.

        Each takes another turn where ``first`` was least certain. The cache serves all up to there.

        Raises:
            Cancelled, ModelError: as :meth:`midfill.inference.decoder.Decoder.generate`.
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

    def _find_stop(self, text: str) -> postprocess.Ending | None:
        return postprocess.find_stop(
            text, self._context, self._max_lines, one_statement=self._one_statement, place=self._place
        )

    def _ran_out(self, tokens: int) -> str:
        """Return why no more tokens came."""
        if tokens >= self._max_tokens:
            return "max-tokens"
        return "deadline" if self._deadline.has_passed else "stop-token"

    def _choices(self, decoder: Decoder, healing: TokenHealing, head: Sequence[Choice]) -> Generator[Choice]:
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


def _whole_lines(text: str, length: int) -> str:
    """Return the lines that end within the first ``length`` characters; "" when there is nothing in them."""
    lines = text[: max(text.rfind("\n", 0, length + 1), 0)]
    return lines if lines.strip() else ""


def branches(choices: Sequence[Choice], excluded: Container[int]) -> list[list[Choice]]:
    """Return how else a text might begin: as ``choices`` do up to one of them, and with that one's rival there.

    The smallest gap in probability between the two comes first; rivals that are ``excluded`` (stop tokens) never.
    """

    def gap(place: int) -> float:
        return math.exp(choices[place].logprob) - math.exp(choices[place].runner_up_logprob)

    places = [
        place for place, choice in enumerate(choices) if choice.runner_up >= 0 and choice.runner_up not in excluded
    ]
    return [
        [*choices[:place], Choice(choices[place].runner_up, choices[place].runner_up_logprob, -1, -math.inf)]
        for place in sorted(places, key=gap)
    ]
