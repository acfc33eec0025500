"""One request's texts: the suggestion, stopped and cut while it streams in, and its alternatives."""

from __future__ import annotations

import math
from collections.abc import Container, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midfill import postprocess
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.reasons import Reason
from midfill.inference.prompt_lookup import NO_DRAFTS
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import Deadline, GenerationRequest, GenerationStats, TokenGenerator
from midfill.inference.token_healing import TokenHealing
from midfill.inference.tokenizer import ModelTokenizer
from midfill.prompt.context import Context
from midfill.prompt.fim import Prompt

_LIMITS = ("max-tokens", "deadline")
_UNSURE = "unsure"
_TRIES_PER_ALTERNATIVE = 2
"""Branches tried for each alternative wanted. Some of them lead to a text that is known already."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the text goes."""

    context: Context
    path: str = ""
    """The document's path or URI."""
    language: str = ""
    """The LSP language id."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where the text ends at the latest."""

    max_tokens: int
    max_lines: int
    deadline: Deadline
    min_confidence: float = 0.0
    """Minimum probability that the whole text is correct, 0 to 1. A less likely text is cut at the last line that
    reaches it, or dropped."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """What kind of text is wanted."""

    automatic: bool = False
    """Whether typing triggered the request: then the text ends with the statement at the cursor."""
    unfiltered: bool = False
    """Whether to skip all filters that drop or mend a text."""
    sampling: Sampling | None = None
    ahead: bool = False
    """Whether nobody waits for the text yet."""


@dataclass(frozen=True)
class Generated:
    """A suggestion, or the reason why there is none, and the tokens it was made of."""

    text: str
    reason: Reason
    choices: list[Choice]
    """The tokens up to the end of the text."""
    tokens: int
    """Number of tokens decoded, also those that were cut off."""
    replaces: int = 0
    """Number of characters right of the cursor that the text replaces."""
    changes: tuple[tuple[str, int], ...] = ()
    """What the filters changed: see :class:`midfill.postprocess.Finished`."""
    stopped_by: str = ""
    """The code of the stop that ended the text, or "stop-token", "max-tokens", "deadline" or "unsure"."""
    stats: GenerationStats = field(default_factory=GenerationStats)

    @property
    def logprobs(self) -> tuple[float, ...]:
        """Log-probabilities of the tokens up to the end of the text."""
        return tuple(choice.logprob for choice in self.choices)


class Generation:
    """Generates the texts of one request. All follow the same prompt and share one deadline."""

    def __init__(
        self,
        generator: TokenGenerator,
        tokenizer: ModelTokenizer,
        prompt: Prompt,
        place: Place,
        limits: Limits,
        style: Style,
        drafts: NDArray[np.int32] = NO_DRAFTS,
    ) -> None:
        self._generator = generator
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._context = postprocess.nearby(place.context)
        self._path, self._language_id = place.path, place.language
        self._placeholders = place.context.placeholders
        self._limits = limits
        self._style = style
        self._drafts = drafts
        self._indentation = postprocess.indentation_of(self._context)
        self._language = language_of(place.path, place.language)
        self._syntactic_place = postprocess.place_of(self._context, self._language) if style.automatic else ""
        self._min_log_probability = math.log(limits.min_confidence) if limits.min_confidence else -math.inf
        self.choices: list[Choice] = []
        """The tokens of the latest text so far, also after an interruption."""
        self.text = ""
        """The latest text so far."""
        self._stats = GenerationStats()

    def generate(self, cancel: CancelFlag, head: Sequence[Choice] = ()) -> Generated:
        """Generate the text that follows the prompt and begins with the tokens ``head``.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        if not self._prompt.ids:  # a model without FIM tokens, at the start of a document
            return Generated("", Reason.BLANK, [], 0)
        taken_back = self._prompt.taken_back
        healing_text = "" if taken_back is None else self._tokenizer.vocabulary.text(taken_back)
        healing = TokenHealing(self._tokenizer.vocabulary, healing_text)
        self._stats = GenerationStats()
        choices = self.choices = []
        lengths: list[int] = []  # of the text after each choice
        raw = text = self.text = ""
        log_probability, confident_length = 0.0, 0  # of all tokens so far; of the text that is likely enough
        with closing(self._stream(healing, head, cancel)) as stream:
            for choice in stream:
                choices.append(choice)
                raw = healing.strip(self._tokenizer.text([each.token for each in choices]))
                text = self.text = postprocess.begin(raw, self._context, self._indentation, self._language)
                lengths.append(len(text))
                log_probability += choice.logprob
                if log_probability >= self._min_log_probability:
                    confident_length = len(text)
                ending = self._find_stop(text)
                if confident_length < (ending.end if ending else len(text)):
                    text, stopped_by = _whole_lines(text, confident_length), _UNSURE
                    break
                if ending:
                    text, stopped_by = text[: ending.end], ending.code
                    break
            else:
                stopped_by = self._limit_reached(len(choices))
        if not text and stopped_by == _UNSURE:
            return Generated("", Reason.UNSURE, [], len(choices), stopped_by=stopped_by, stats=self._stats)
        finished = postprocess.finish(
            text,
            self._context,
            automatic=self._style.automatic,
            language=self._language_id,
            path=self._path,
            placeholders=self._placeholders,
            unfiltered=self._style.unfiltered,
            cut_short=stopped_by in _LIMITS,
        )
        used = next((count for count, length in enumerate(lengths, start=1) if length >= finished.kept), 0)
        return Generated(
            finished.text,
            Reason(finished.reason),
            [] if finished.reason else choices[:used],
            len(choices),
            replaces=finished.replaces,
            changes=(
                *postprocess.changes_at_begin(raw, self._context, self._indentation, self._language),
                *finished.changes,
            ),
            stopped_by=stopped_by,
            stats=self._stats,
        )

    def alternatives(self, cancel: CancelFlag, first: Generated, count: int) -> list[Generated]:
        """Generate up to ``count`` more texts that differ from ``first`` and from each other, while time allows.

        Each one takes the runner-up where ``first`` was least certain. The KV cache serves all up to there.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: the model failed.
        """
        found: list[Generated] = []
        for head in branches(first.choices, self._tokenizer.stop_tokens)[: count * _TRIES_PER_ALTERNATIVE]:
            if len(found) == count or self._limits.deadline.has_passed:
                break
            other = self.generate(cancel, head)
            if self._limits.deadline.has_passed:  # the deadline may have cut it anywhere; the first one is complete
                break
            if not other.reason and other.text not in (first.text, *(each.text for each in found)):
                found.append(other)
        return found

    def _find_stop(self, text: str) -> postprocess.Ending | None:
        return postprocess.find_stop(
            text,
            self._context,
            self._limits.max_lines,
            one_statement=self._style.automatic,
            place=self._syntactic_place,
        )

    def _limit_reached(self, tokens: int) -> str:
        """Return why no more tokens came."""
        if tokens >= self._limits.max_tokens:
            return "max-tokens"
        return "deadline" if self._limits.deadline.has_passed else "stop-token"

    def _stream(self, healing: TokenHealing, head: Sequence[Choice], cancel: CancelFlag) -> Generator[Choice]:
        """Yield the tokens of ``head``, then those that the generator adds."""
        for choice in head:
            healing.take(choice.token)
            yield choice
        room = self._limits.max_tokens - len(head)
        if room <= 0:
            return
        request = GenerationRequest(
            prompt=[*self._prompt.ids, *(choice.token for choice in head)],
            max_tokens=room,
            stop_tokens=self._tokenizer.stop_tokens,
            document=self._path,
            required_prefix=healing.missing,
            drafts=self._drafts,
            sampling=self._style.sampling,
            deadline=self._limits.deadline,
            ahead=self._style.ahead,
        )
        with closing(self._generator.generate(request, cancel)) as tokens:
            self._stats = tokens.stats
            yield from tokens


def _whole_lines(text: str, length: int) -> str:
    """Return the lines that end within the first ``length`` characters; "" if they are blank."""
    lines = text[: max(text.rfind("\n", 0, length + 1), 0)]
    return lines if lines.strip() else ""


def branches(choices: Sequence[Choice], excluded: Container[int]) -> list[list[Choice]]:
    """Return other beginnings: the choices up to one of them, and that one's runner-up in its place.

    The place where the two probabilities are closest comes first. ``excluded`` tokens (stop tokens) are not used.
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
