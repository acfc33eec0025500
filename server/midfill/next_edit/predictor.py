"""The seam of this package: from recent changes and a place to the edit predicted there, or the reason for silence.

Free of protocol and session: the server, the command line and the evaluations all predict by it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from midfill.common.cancel import CancelFlag
from midfill.common.lines import offset_of_line
from midfill.common.reasons import Reason
from midfill.inference.preemption import Steps
from midfill.inference.prompt_lookup import NO_DRAFTS
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import Deadline, GenerationRequest, GenerationStats, LanguageModel
from midfill.next_edit.difference import line_changes, replacements
from midfill.next_edit.ending import has_reached_end, keep_white_space
from midfill.next_edit.filters import Candidate, reason_for_silence
from midfill.next_edit.guesses import guess
from midfill.next_edit.judge import least_odds
from midfill.next_edit.places import Reach
from midfill.next_edit.prompt import EditPrompt, PromptWriter, before_latest
from midfill.next_edit.types import Document, Hunk, NextEdit, Place, TextEdit
from midfill.next_edit.window import Window, window_at

ABLATIONS = ("history", "drafts", "guesses", "gate", "filters")
"""Parts that can be left out, to measure what each one is worth."""
MIN_CONFIDENCE = 0.8
"""Minimum probability that all changed lines are right. A less likely edit is not shown."""
MIN_ODDS = 0.005
"""Minimum odds of a guess: the probability of its least likely token, divided by that of the likeliest one there.

The model has just read the old token in this place, and likes to copy it. So right guesses may have small odds; nearly
all wrong ones have smaller ones (docs/decisions/0050-gates-of-the-next-edit.md).
"""
MAX_CONTEXT = 4_096
"""Maximum number of tokens of a prompt and its answer."""
_MAX_DRAFT_TOKENS = 48
"""Most of a window stays as it is, so longer drafts than a suggestion's pay here."""
_EXTRA_TOKENS = 96
"""By how many tokens the new window may be longer than the old one."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """The window's new text, and what it took."""

    text: str
    confidence: float | None
    min_confidence: float
    is_whole: bool = True
    """Whether the model ended the text, and not a limit."""
    tokens: int = 0
    stats: GenerationStats = field(default_factory=GenerationStats)


class EditPredictor:
    """Predicts with one model, in a KV cache of its own; for one thread at a time."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        steps: Steps | None = None,
        max_draft_tokens: int = _MAX_DRAFT_TOKENS,
        min_confidence: float = MIN_CONFIDENCE,
        ablations: frozenset[str] = frozenset(),
    ) -> None:
        """Predict with ``model``, in the format that its manifest names.

        Args:
            model: writes windows anew.
            steps: make each step wait behind typing; None computes at once.
            max_draft_tokens: maximum number of draft tokens checked in one step.
            min_confidence: minimum probability of an edit that is shown, 0 to 1.
            ablations: the parts of ``ABLATIONS`` to leave out.
        """
        self._model = model
        self._tokenizer = model.tokenizer
        self._writer = PromptWriter.of(model.manifest, model.tokenizer)
        self._context = min(MAX_CONTEXT, model.manifest.usable_context)
        self._generator = model.new_generator(
            context=self._context, cache_bytes=0, max_draft_tokens=max_draft_tokens, steps=steps
        )
        self._min_confidence = min_confidence
        self._ablations = ablations

    @property
    def reach(self) -> Reach:
        """Which lines around a place the model may change."""
        shape = self._writer.format
        return Reach(above=max(shape.lines_above - shape.given_lines, 0), below=shape.lines_below)

    def predict(
        self,
        document: Document,
        place: Place,
        history: Sequence[Hunk],
        cancel: CancelFlag,
        *,
        undone: Sequence[Hunk] = (),
        name_of: Callable[[str], str] = lambda path: path,
        seconds: float | None = None,
    ) -> NextEdit:
        """Predict the edit at ``place`` of ``document``.

        Args:
            document: the document as it is now.
            place: where to look; a window of lines around it may change.
            history: recent changes of all documents, the latest last. Without any, there is no edit.
            cancel: stops the work within a step.
            undone: changes that the user took back, which are not made again.
            name_of: returns the name of a document that the prompt has, by its path.
            seconds: maximum time to generate; None for no limit.

        Raises:
            Cancelled: ``cancel`` was set; what was computed of the prompt stays.
            ModelError: the model failed.
        """
        cancel.check()
        clock = _StageClock()
        shape = self._writer.format
        window = window_at(document.text, place.line, shape.lines_above, shape.lines_below, shape.context_lines)
        if not history:
            return NextEdit(place=place, reason=Reason.NO_EDITS)
        if window is None:
            return NextEdit(place=place, reason=Reason.CUT_OFF)
        guessed = None if "guesses" in self._ablations else guess(document, window, history)
        prompt = self._prompt(document, place, window, history, guessed, name_of)
        if len(prompt.ids) + len(prompt.drafts) + _EXTRA_TOKENS >= self._context:
            return NextEdit(place=place, reason=Reason.CUT_OFF)
        clock.end_stage("prompt")
        answer = self._judge(prompt, window, guessed, cancel) if guessed is not None else None
        clock.end_stage("judge")
        if answer is None:
            answer = self._generate(prompt, window, place.path, cancel, seconds)
        clock.end_stage("generate")
        candidate = Candidate(
            document=document,
            window=window,
            new=answer.text,
            is_whole=answer.is_whole,
            history=history,
            undone=undone,
        )
        reason = self._reason(candidate, answer)
        edits = () if reason else _edits(window, answer.text)
        clock.end_stage("filters")
        return NextEdit(
            place=place,
            reason=reason,
            edits=edits,
            confidence=answer.confidence,
            model=self._model.manifest.name,
            edit_format=self._model.manifest.edit_format,
            prompt_tokens=len(prompt.ids),
            reused_tokens=min(answer.stats.reused_tokens, len(prompt.ids)),
            tokens=answer.tokens,
            steps=answer.stats.steps,
            milliseconds=clock.milliseconds(),
            prompt=tuple(prompt.ids),
            prompt_text=self._tokenizer.spell(prompt.ids),
        )

    def _prompt(
        self,
        document: Document,
        place: Place,
        window: Window,
        history: Sequence[Hunk],
        guessed: str | None,
        name_of: Callable[[str], str],
    ) -> EditPrompt:
        shown = () if "history" in self._ablations else history
        cursor = None
        if place.column is not None:
            cursor = window.from_document(offset_of_line(document.text, place.line) + place.column)
        return self._writer.write(
            window,
            name_of(document.path),
            [(name_of(hunk.path), hunk) for hunk in shown],
            before=before_latest(window, document.path, shown),
            line=place.line - window.first_line,
            cursor=cursor,
            guess=guessed,
        )

    def _judge(self, prompt: EditPrompt, window: Window, guessed: str, cancel: CancelFlag) -> _Answer | None:
        """Return a guess as an answer if the model finds it likely enough."""
        odds = least_odds(self._generator, self._tokenizer, prompt.ids, window.text, guessed, len(prompt.given), cancel)
        min_odds = 0.0 if "gate" in self._ablations else MIN_ODDS
        return _Answer(text=guessed, confidence=odds, min_confidence=min_odds) if odds >= min_odds else None

    def _generate(
        self, prompt: EditPrompt, window: Window, path: str, cancel: CancelFlag, seconds: float | None
    ) -> _Answer:
        limit = min(len(self._tokenizer.encode(window.text)) + _EXTRA_TOKENS, self._context - len(prompt.ids))
        deadline = Deadline(seconds)
        stream = self._generator.generate(
            GenerationRequest(
                prompt=prompt.ids,
                max_tokens=limit,
                stop_tokens=self._tokenizer.stop_tokens | self._writer.stop_tokens,
                document=path,
                drafts=NO_DRAFTS if "drafts" in self._ablations else prompt.drafts,
                deadline=deadline,
            ),
            cancel,
        )
        choices: list[Choice] = []
        text, is_whole = "", False
        with closing(stream):
            for choice in stream:
                choices.append(choice)
                text = self._tokenizer.text([each.token for each in choices])
                end = min((at for mark in self._writer.stop_texts if (at := text.find(mark)) >= 0), default=-1)
                if end >= 0:
                    text, is_whole = text[:end], True
                    break
                if text.endswith("\n") and has_reached_end(prompt.given + text, window.text):
                    is_whole = True
                    break
            else:
                is_whole = len(choices) < limit and not deadline.has_passed
        new = keep_white_space(window.text, prompt.given + text)
        return _Answer(
            text=new,
            confidence=self._confidence(choices, window.text, new, prompt.given),
            min_confidence=self._min_confidence,
            is_whole=is_whole,
            tokens=len(choices),
            stats=stream.stats,
        )

    def _confidence(self, choices: Sequence[Choice], window: str, new: str, given: str) -> float | None:
        """Return the probability of the tokens in the changed lines; None if no line is changed."""
        changed: set[int] = set()
        shift = 0
        for change in line_changes(window, new):
            first = change.first + shift
            changed.update(range(first, first + max(len(change.new), 1)))
            shift += len(change.new) - len(change.old)
        line = given.count("\n")
        total = 0.0
        for choice in choices:
            if line in changed:
                total += choice.logprob
            line += self._tokenizer.count_newlines([choice.token])
        return math.exp(total) if changed else None

    def _reason(self, candidate: Candidate, answer: _Answer) -> Reason:
        if candidate.new == candidate.window.text:
            return Reason.UNCHANGED
        if "filters" not in self._ablations and (reason := reason_for_silence(candidate)):
            return reason
        unsure = "gate" not in self._ablations and (answer.confidence or 0.0) < answer.min_confidence
        return Reason.UNSURE if unsure else Reason.NONE


class _StageClock:
    """The time of each stage, in the order in which the stages ended."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._milliseconds: dict[str, float] = {}

    def end_stage(self, stage: str) -> None:
        now = time.perf_counter()
        self._milliseconds[stage] = round((now - self._last) * 1000, 2)
        self._last = now

    def milliseconds(self) -> dict[str, float]:
        return self._milliseconds


def _edits(window: Window, new: str) -> tuple[TextEdit, ...]:
    return tuple(
        TextEdit(window.to_document(part.start), window.to_document(part.end), part.text)
        for part in replacements(window.text, new)
    )
