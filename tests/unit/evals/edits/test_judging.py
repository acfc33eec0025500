"""Judging a predicted edit by what the author did."""

from __future__ import annotations

import pytest

from midfill.evals.edits.judging import judge
from midfill.evals.edits.tasks import EditTask, cut
from midfill.next_edit.difference import LineChange
from unit.evals.edits.changed_files import RENAME, change

FIRST = next(task for task in cut([RENAME]).hunks if task.made == 1)


def edited(task: EditTask, *replacements: tuple[str, str]) -> str:
    """Return the task's text with some texts replaced."""
    text = task.text
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


NEXT, LAST = ("area(w=2", "area(width=2"), ("area(w=4", "area(width=4")


@pytest.mark.parametrize(
    ("replacements", "exact_next", "exact_any"),
    [
        ((NEXT,), True, True),
        ((NEXT, LAST), True, True),
        ((LAST,), False, True),
        ((NEXT, ("f0(1)", "f0(2)")), False, False),
        ((("area(w=2", "area(w=3"),), False, False),
        ((), False, False),
    ],
)
def test_exact_is_what_the_author_did_and_nothing_else(
    replacements: tuple[tuple[str, str], ...], exact_next: bool, exact_any: bool
) -> None:
    """A window may have room for several hunks; where the place is looked for, any hunk that is left is right."""
    text = edited(FIRST, *replacements)
    assert judge(FIRST, text, next_one=True).is_exact is exact_next
    assert judge(FIRST, text, next_one=False).is_exact is exact_any


def test_similarity_is_that_of_the_lines_that_differ() -> None:
    """The rest of a long file makes no edit similar."""
    near = judge(FIRST, edited(FIRST, ("area(w=2", "area(widths=2")), next_one=True)
    far = judge(FIRST, edited(FIRST, ("size = area(w=2, h=3)", "???")), next_one=True)
    assert near.similarity > 0.95
    assert far.similarity < 0.1
    assert near.lines == "size = area(widths=2, h=3)"


@pytest.mark.parametrize(
    ("replacement", "is_reversal"),
    [
        (("def area(width, h):", "def area(w, h):"), True),
        (("def area(width, h):", "def area(w, height):"), False),
        (NEXT, False),
    ],
)
def test_reversal_takes_back_what_was_done(replacement: tuple[str, str], is_reversal: bool) -> None:
    """Another change of the same line does not."""
    assert judge(FIRST, edited(FIRST, replacement), next_one=True).is_reversal is is_reversal


def test_reversal_of_lines_that_were_removed_or_inserted() -> None:
    """They come back, or go away."""
    (task,) = cut([change(("one()\ntwo()", "c = some"), ("one()\nthree()", "c = other"))]).hunks
    assert task.hunks[0] == LineChange(31, ("two()",), ("three()",))
    assert judge(task, edited(task, ("three()\n", "")), next_one=True).is_reversal
    assert judge(task, edited(task, ("three()\n", "two()\nthree()\n")), next_one=True).is_reversal
    assert not judge(task, edited(task, ("three()\n", "three()\n\n")), next_one=True).is_reversal
