"""Questions about tasks, asked through the real predictor."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import EvalError, UsageError
from midfill.evals.edits import asking
from midfill.evals.edits.asking import FOUND, GIVEN, QUIET, EditResult
from midfill.evals.edits.tasks import EditTask, cut
from midfill.next_edit.predictor import EditPredictor
from unit.evals.edits.changed_files import change
from unit.next_edit.rewriter import Rewriter, model_of

ALIKE = "limit = compute(amount)"
NEXT = "limit = compute(amount, other)"
CHANGE = change(("total = some(1)", ALIKE), ("total = None", NEXT))
(HUNK,) = cut([CHANGE]).hunks
QUIET_TASK = next(task for task in cut([CHANGE]).quiet if task.line > 4)


def window(task: EditTask, line: str) -> str:
    """Return the window around a task's place, with another line there."""
    lines = task.text.split("\n")
    lines[task.line] = line
    return "\n".join(lines[task.line - 4 : task.line + 10])


def ask(text: str, *asked: tuple[str, EditTask], resume: Path | None = None) -> list[EditResult]:
    """Ask a model that makes its window ``text``, and leaves others as they are."""
    predictor = EditPredictor(model_of(Rewriter(text)))
    return asking.run(predictor, "scripted", "", asked, lambda *_: None, resume)


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
    text = window(HUNK, ALIKE)
    (row,) = ask(text, (GIVEN, HUNK))
    assert (row.outcome, row.reason, row.lines, row.similarity) == ("silent", "unchanged", "", None)


def test_edit_in_a_quiet_window_is_wrong() -> None:
    """Nothing was left to change there."""
    (row,) = ask(window(QUIET_TASK, "changed = 1"), (QUIET, QUIET_TASK))
    assert (row.outcome, row.similarity) == ("wrong", None)


def test_place_is_looked_for() -> None:
    """The cursor is at the latest hunk. From there the next one cannot be reached, but a line like it is found."""
    (task,) = cut([change(("total = compute(amount)", ALIKE), ("total = None", NEXT))]).hunks
    rows = ask(window(task, NEXT), (FOUND, task), (GIVEN, task))
    assert [row.outcome for row in rows] == ["exact", "exact"]
    assert (rows[0].rank, rows[0].asked) == (2, 2)
    assert rows[0].tokens > rows[1].tokens


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
