"""The tasks that are cut from changed files."""

from __future__ import annotations

import dataclasses

import pytest

from midfill.evals.edits.hunks import FileChange, applied
from midfill.evals.edits.tasks import ALIKE, CURSOR, ELSEWHERE, KNOWN, NEW, REPEATED, EditTask, cut
from unit.evals.edits.changed_files import GAP, RENAME, change, file_of


def near(task: EditTask) -> set[int]:
    """Return the lines around a task's place."""
    return set(range(task.line - 22, task.line + 23))


def test_next_hunk_is_asked_for_after_the_ones_before() -> None:
    """The file is edited from its top; the editor's history has what was made."""
    first, second = sorted(cut([RENAME]).hunks, key=lambda task: task.made)
    assert [(task.made, task.kind, task.is_quiet) for task in (first, second)] == [
        (1, REPEATED, False),
        (2, REPEATED, False),
    ]
    assert first.text == file_of("def area(width, h):", "size = area(w=2, h=3)", "print(area(w=4, h=5))")
    assert first.line == 2 * GAP + 1
    assert first.latest_line == GAP
    assert [hunk.new for hunk in first.remaining] == [("size = area(width=2, h=3)",), ("print(area(width=4, h=5))",)]
    assert [hunk.new for hunk in second.history().hunks()] == ["def area(width, h):", "size = area(width=2, h=3)"]
    assert applied(first.text, first.remaining) == RENAME.after


def test_places_below_a_longer_hunk_have_moved() -> None:
    """Lines are those of the file as it is now."""
    (task,) = cut([change(("a = 1", "b = some"), ("a = 1\nc = 2\nd = 3", "b = other"))]).hunks
    assert task.text.split("\n")[task.line] == "b = some"
    assert task.text.split("\n")[task.latest_line] == "d = 3"
    assert [hunk.first for hunk in task.remaining] == [task.line]


@pytest.mark.parametrize(
    ("next_line", "kind"),
    [
        ("call(left, total)", REPEATED),
        ("call(sum, amount)", KNOWN),
        ("call(nobody_knows, amount)", NEW),
    ],
)
def test_kinds_of_hunks(next_line: str, kind: str) -> None:
    """A hunk is repeated, or made of known tokens, or has new ones."""
    (task,) = cut([change(("sum(left, amount)", "call(left, amount)"), ("sum(left, total)", next_line))]).hunks
    assert task.kind == kind


@pytest.mark.parametrize(
    "after",
    [
        ("a = 2", "b = some"),  # one hunk
        ("a = 2", "b  =  some"),  # white space
        ("a = 2", "\n".join(f"b{number} = some" for number in range(9))),  # a long hunk
        ("a = 2", f"b = '{'x' * 400}'"),  # a long line
    ],
)
def test_changes_that_give_no_task(after: tuple[str, ...]) -> None:
    """Two to six small hunks, of which the next one says something."""
    assert cut([change(("a = 1", "b = some"), after)]).hunks == ()


def test_numbers_of_a_version_are_not_asked_for() -> None:
    """Nothing tells them."""
    assert cut([change(("a = some", 'version = "1.2.3"'), ("a = other", 'version = "1.3.0"'))]).hunks == ()


def test_many_hunks_are_not_made_by_hand() -> None:
    """Such as those of a formatter."""
    lines = tuple(f"name_{number} = some" for number in range(7))
    assert cut([change(lines, tuple(line.replace("some", "other") for line in lines))]).hunks == ()


def test_same_hunk_gives_one_task() -> None:
    """Also in another file or project."""
    again = dataclasses.replace(RENAME, project="other", path="b.py")
    assert [task.project for task in cut([RENAME, again]).hunks] == ["some", "some"]


def test_projects_take_turns() -> None:
    """The first tasks are of all projects."""
    other = change(("x = some", "y = some", "z = some"), ("x = other", "y = other", "z = other"), project="other")
    assert [task.project for task in cut([RENAME, other]).hunks] == ["some", "other", "some", "other"]


@pytest.mark.parametrize("number", range(3))
def test_nothing_is_left_to_change_in_quiet_windows(number: int) -> None:
    """Two windows of a pair of versions, whose kinds take turns."""
    changes = [dataclasses.replace(RENAME, version=f"1.{version}") for version in range(number + 1)]
    quiet = cut(changes).quiet
    assert all(task.is_quiet for task in quiet)
    assert not any(near(task) & {hunk.first for hunk in task.remaining} for task in quiet)
    assert {task.kind for task in quiet} <= {CURSOR, ALIKE, ELSEWHERE}
    assert len(quiet) > number


def test_window_that_is_alike_has_a_line_like_a_changed_one() -> None:
    """A model that repeats a change everywhere is caught there."""
    before = ("sum(left, amount)", "a = some", "sum(left, right)")
    changes = [change(before, ("add(left, amount)", "a = other", "sum(left, right)"), path=f"{n}.py") for n in range(6)]
    alike = [task for task in cut(changes).quiet if task.kind == ALIKE]
    assert {task.text.split("\n")[task.line] for task in alike} == {"sum(left, right)"}


def test_same_files_give_the_same_tasks() -> None:
    """Every time, and in every process."""
    assert cut([RENAME]) == cut([FileChange(**dataclasses.asdict(RENAME))])
