"""Questions about tasks, asked through the real predictor."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import EvalError, UsageError
from midfill.evals.edits import asking
from midfill.evals.edits.asking import FOUND, GIVEN, QUIET, CountedPredictor, EditResult
from midfill.evals.edits.tasks import EditTask, cut
from unit.evals.edits.changed_files import change
from unit.replies import Replies, model_of

NEXT = "limit = compute(amount, other)"
CHANGE = change(("total = some(1)", "limit = compute(amount)"), ("total = None", NEXT))
(HUNK,) = cut([CHANGE]).hunks
QUIET_TASK = next(task for task in cut([CHANGE]).quiet if task.line > 4)
WITHOUT = ("drafts", "gate", "guesses")
"""The scripted model writes token by token, and is sure of nothing."""


def window(task: EditTask, edited: str) -> str:
    """Return what the model writes for a task's window, after the two lines that are given."""
    lines = task.text.split("\n")[task.line - 2 : task.line + 10]
    lines[2] = edited
    return "\n".join(lines)


def ask(reply: str, *asked: tuple[str, EditTask], resume: Path | None = None) -> list[EditResult]:
    """Ask a model that has one reply."""
    predictor = CountedPredictor(model_of(Replies(reply)), frozenset(WITHOUT))
    return asking.run(predictor, "scripted", ", ".join(WITHOUT), asked, lambda *_: None, resume)


def test_next_hunk_at_its_place() -> None:
    """An exact edit is the author's."""
    (row,) = ask(window(HUNK, NEXT), (GIVEN, HUNK))
    assert (row.outcome, row.reason, row.lines, row.similarity) == ("exact", "", NEXT, 1.0)
    assert (row.asked, row.rank, row.language, row.kind) == (1, None, "Python", HUNK.kind)
    assert row.tokens > 10
    assert row.prompt_tokens > 100


def test_other_edit_is_wrong() -> None:
    """However near it is."""
    (row,) = ask(window(HUNK, "limit = compute(amount, others)"), (GIVEN, HUNK))
    assert row.outcome == "wrong"
    assert 0.9 < (row.similarity or 0) < 1


def test_unchanged_window_is_silence() -> None:
    """The reason code says why."""
    text = window(HUNK, "limit = compute(amount)")
    (row,) = ask(text, (GIVEN, HUNK))
    assert (row.outcome, row.reason, row.lines, row.similarity) == ("silent", "unchanged", "", None)


def test_edit_in_a_quiet_window_is_wrong() -> None:
    """Nothing was left to change there."""
    (row,) = ask(window(QUIET_TASK, "changed = 1"), (QUIET, QUIET_TASK))
    assert (row.outcome, row.similarity) == ("wrong", None)


def test_place_is_looked_for() -> None:
    """The cursor is at the latest hunk, from which the next one cannot be reached."""
    (row,) = ask(window(HUNK, "limit = compute(amount)"), (FOUND, HUNK))
    assert row.outcome != "exact"
    assert row.rank != 1
    assert row.asked >= 1


def test_results_are_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    """A run that was interrupted goes on."""
    file = tmp_path / "rows.jsonl"
    first = ask(window(HUNK, NEXT), (GIVEN, HUNK), resume=file)
    again = ask("another reply", (GIVEN, HUNK), (QUIET, QUIET_TASK), resume=file)
    assert again[0] == first[0]
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_file_of_other_results(tmp_path: Path) -> None:
    """It is not overwritten."""
    file = tmp_path / "rows.jsonl"
    file.write_text('{"other": 1}\n', encoding="utf-8")
    with pytest.raises(EvalError, match="--resume"):
        ask("", (GIVEN, HUNK), resume=file)


def test_questions_that_there_are_not() -> None:
    """The error names those that there are."""
    assert asking.questions("given, quiet") == ("given", "quiet")
    with pytest.raises(UsageError, match="no question 'some': choose from given, found, quiet"):
        asking.questions("given,some")
