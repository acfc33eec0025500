"""Asks for the next edit of each task, by the same predictor as the server, and judges what is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.evals.edits.judging import judge
from midfill.evals.edits.tasks import EditTask
from midfill.evals.resume_file import append_result, read_results
from midfill.next_edit.places import Reach, places
from midfill.next_edit.predictor import EditPredictor
from midfill.next_edit.search import Situation, search
from midfill.next_edit.types import Document, NextEdit, Place, Why

GIVEN, FOUND, QUIET = "given", "found", "quiet"
QUESTIONS = (GIVEN, FOUND, QUIET)
"""Given: the place of the next hunk is named. Found: the place is looked for. Quiet: a place is named where nothing is
left to change."""
EXACT, WRONG, SILENT = "exact", "wrong", "silent"


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """The result of one question about one task."""

    model: str
    left_out: str
    """The parts of the predictor that were left out, separated by commas."""
    question: str
    """One of ``QUESTIONS``."""
    task: str
    kind: str
    """The task's kind: see :mod:`midfill.evals.edits.tasks`."""
    language: str
    outcome: str
    """``exact``, ``wrong`` or ``silent``. An edit in a quiet window is wrong."""
    reason: str
    """The reason code of silence, at the first place asked; "" if an edit was shown."""
    similarity: float | None
    """Edit similarity to the next hunk, from 0 to 1; None without an edit, and in a quiet window."""
    is_reversal: bool
    rank: int | None
    """The number, from 1, of the first place from which a hunk that is left can be reached; None if there is none, and
    where the place is given."""
    asked: int
    """Number of places that the model was asked about."""
    is_guess: bool
    """Whether the edit was made without the model, which only judged it."""
    confidence: float | None
    """:attr:`midfill.next_edit.types.NextEdit.confidence`, which means other things for a guess and for an edit that
    the model wrote. Where nothing is shown, it is that at the first place."""
    prompt_tokens: int
    reused_tokens: int
    """Tokens of all prompts, and how many of them were found in the KV cache."""
    tokens: int
    steps: int
    """Tokens generated at all places, and the model's steps for them."""
    milliseconds: float
    """Time of all questions, and of looking for places."""
    lines: str
    """The changed lines of the edit that was shown."""


def questions(text: str | None) -> tuple[str, ...]:
    """Read the names of questions, separated by commas; None means all.

    Raises:
        UsageError: there is no such question.
    """
    chosen = tuple(part.strip() for part in text.split(",")) if text else QUESTIONS
    for unknown in (name for name in chosen if name not in QUESTIONS):
        raise UsageError(f"there is no question '{unknown}': choose from {', '.join(QUESTIONS)}.")
    return chosen


def run(
    predictor: EditPredictor,
    model: str,
    left_out: str,
    asked: Sequence[tuple[str, EditTask]],
    progress: Callable[[int, int], None],
    resume: Path | None = None,
) -> list[EditResult]:
    """Ask each question about its task, and return the results.

    Each result is added to the file ``resume`` at once. A question whose result for this model is in the file is not
    asked again.

    Raises:
        EvalError: the file cannot be read or written.
        ModelError: the model failed.
    """
    known = {
        (row.question, row.task): row
        for row in read_results(resume, EditResult)
        if (row.model, row.left_out) == (model, left_out)
    }
    rows: list[EditResult] = []
    for done, (question, task) in enumerate(asked, start=1):
        row = known.get((question, task.name))
        if row is None:
            row = _ask(predictor, model, left_out, question, task)
            append_result(resume, row)
        rows.append(row)
        progress(done, len(asked))
    return rows


def _ask(predictor: EditPredictor, model: str, left_out: str, question: str, task: EditTask) -> EditResult:
    language = language_of(task.path)
    document = Document(path=task.path, text=task.text, language=language.ids[0])
    history = task.history().hunks()
    cursor = Place(path=task.path, line=task.latest_line, why=Why.CURSOR)
    answers: list[NextEdit] = []
    started = time.perf_counter()
    if question == FOUND:
        situation = Situation(documents={task.path: document}, cursor=cursor, history=history)
        shown = search(predictor, situation, CancelFlag(), on_answer=answers.append)
    else:
        shown = predictor.predict(document, Place(path=task.path, line=task.line), history, CancelFlag())
        answers.append(shown)
    milliseconds = (time.perf_counter() - started) * 1000
    judged = judge(task, shown.apply(task.text), next_one=question == GIVEN) if shown.edits else None
    exact = judged is not None and judged.is_exact and question != QUIET
    return EditResult(
        model=model,
        left_out=left_out,
        question=question,
        task=task.name,
        kind=task.kind,
        language=language.name,
        outcome=SILENT if judged is None else EXACT if exact else WRONG,
        reason=str(shown.reason),
        similarity=judged.similarity if judged is not None and question != QUIET else None,
        is_reversal=judged is not None and judged.is_reversal,
        rank=_rank(task, places([document], history, cursor, predictor.reach), predictor.reach)
        if question == FOUND
        else None,
        asked=len(answers),
        is_guess=shown.confidence is not None and not shown.tokens,
        confidence=shown.confidence,
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        reused_tokens=sum(answer.reused_tokens for answer in answers),
        tokens=sum(answer.tokens for answer in answers),
        steps=sum(answer.steps for answer in answers),
        milliseconds=round(milliseconds, 1),
        lines=judged.lines if judged is not None else "",
    )


def _rank(task: EditTask, candidates: Sequence[Place], reach: Reach) -> int | None:
    """Return the number of the first place from which a hunk that is left can be reached; None if there is none."""
    left = [Place(path=task.path, line=hunk.first) for hunk in task.remaining]
    covers = (any(reach.covers(place, hunk) for hunk in left) for place in candidates)
    return next((number for number, covered in enumerate(covers, start=1) if covered), None)
