"""The edit history: hunks by line, time and adjacency, bounded, without secrets; undo and suggestions are known."""

from __future__ import annotations

import pytest

from midfill.next_edit.history import EditHistory
from unit.clock import ManualClock

PATH, OTHER = "/work/a.py", "/work/b.py"
LINES = "".join(f"line {number}\n" for number in range(20))
KEY = "ghp_" + "0aB1" * 9


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands still."""
    return ManualClock()


@pytest.fixture
def history(clock: ManualClock) -> EditHistory:
    """Return an empty history."""
    return EditHistory(clock.now)


def type_into(history: EditHistory, text: str, offset: int, typed: str) -> str:
    """Type character by character; return the text then."""
    for number, character in enumerate(typed):
        before, text = text, text[: offset + number] + character + text[offset + number :]
        history.changed(PATH, before, text)
    return text


def changes(history: EditHistory) -> list[tuple[str, int, str, str]]:
    """Return the hunks as path, line, old and new."""
    return [(hunk.path, hunk.first_line, hunk.old, hunk.new) for hunk in history.hunks()]


def test_typing_in_a_line_is_one_hunk(history: EditHistory) -> None:
    """It has the line as it was before the first key."""
    type_into(history, LINES, 5, "zero")
    assert changes(history) == [(PATH, 0, "line 0", "line zero0")]


def test_changes_that_touch_are_one_hunk(history: EditHistory) -> None:
    """A change of the line below goes on with it."""
    text = LINES.replace("line 3\n", "line three\n")
    history.changed(PATH, LINES, text)
    history.changed(PATH, text, text.replace("line 4\n", "line four\n"))
    assert changes(history) == [(PATH, 3, "line 3\nline 4", "line three\nline four")]


def test_changes_far_apart_are_two_hunks(history: EditHistory) -> None:
    """The later one is last. A hunk below lines that were inserted moves with its lines."""
    text = LINES.replace("line 9\n", "line nine\n")
    history.changed(PATH, LINES, text)
    history.changed(PATH, text, text.replace("line 1\n", "line one\nline more\n"))
    assert changes(history) == [(PATH, 10, "line 9", "line nine"), (PATH, 1, "line 1", "line one\nline more")]


def test_change_of_another_document_is_a_hunk_of_its_own(history: EditHistory) -> None:
    """Lines of two documents never touch."""
    history.changed(PATH, LINES, LINES.replace("line 3\n", "line three\n"))
    history.changed(OTHER, LINES, LINES.replace("line 3\n", "line drei\n"))
    assert changes(history) == [(PATH, 3, "line 3", "line three"), (OTHER, 3, "line 3", "line drei")]


def test_a_pause_begins_a_new_hunk(history: EditHistory, clock: ManualClock) -> None:
    """What is typed after a minute is another change, even in the same line."""
    text = type_into(history, LINES, 5, "x")
    clock.advance(61)
    type_into(history, text, 5, "y")
    assert changes(history) == [(PATH, 0, "line 0", "line x0"), (PATH, 0, "line x0", "line yx0")]


def test_what_is_typed_and_removed_leaves_no_hunk(history: EditHistory) -> None:
    """It is known as undone."""
    text = type_into(history, LINES, 5, "x")
    history.changed(PATH, text, LINES)
    assert history.hunks() == ()
    assert [(hunk.old, hunk.new) for hunk in history.undone()] == [("line 0", "line x0")]


def test_undo_of_an_earlier_hunk_drops_it(history: EditHistory) -> None:
    """Also if something else was changed between."""
    first = LINES.replace("line 3\n", "line three\n")
    second = first.replace("line 9\n", "line nine\n")
    history.changed(PATH, LINES, first)
    history.changed(PATH, first, second)
    history.changed(PATH, second, LINES.replace("line 9\n", "line nine\n"))
    assert changes(history) == [(PATH, 9, "line 9", "line nine")]
    assert [(hunk.old, hunk.new) for hunk in history.undone()] == [("line 3", "line three")]


def test_accepted_suggestion_is_a_hunk_of_its_own(history: EditHistory) -> None:
    """It is marked, and what is typed before and after it is not part of it."""
    text = type_into(history, LINES, 5, "x")
    accepted = text.replace("line x0", "line x0 accepted")
    history.changed(PATH, text, accepted, suggested=True)
    history.changed(PATH, accepted, accepted.replace("accepted", "accepted!"))
    assert [hunk.suggested for hunk in history.hunks()] == [False, True, False]


def test_rename_by_another_server_is_several_hunks(history: EditHistory) -> None:
    """One change of many places is parted, and only the last places are kept."""
    history.changed(PATH, LINES * 2, (LINES * 2).replace("line 1\n", "line one\n"))
    assert [hunk[1] for hunk in changes(history)] == [1, 21]
    history.changed(OTHER, LINES * 20, (LINES * 20).replace("line 1\n", "line one\n"))
    assert len(history.hunks()) == 2 + 8


def test_large_change_is_no_example(history: EditHistory) -> None:
    """Another branch, or a paste of many lines, is not what a person does by hand."""
    history.changed(PATH, "", LINES * 10)
    history.changed(PATH, LINES * 10, LINES * 10 + "x" * 5_000)
    assert history.hunks() == ()


def test_number_of_hunks_is_bounded(history: EditHistory, clock: ManualClock) -> None:
    """The oldest are forgotten."""
    text = LINES
    for _number in range(60):
        clock.advance(100)
        text = type_into(history, text, 5, "x")
    assert len(history.hunks()) == 25


def test_secrets_are_replaced(history: EditHistory) -> None:
    """Before and after, also where the change is beside the secret."""
    before = f'token = "{KEY}"\nname = 1\n'
    history.changed(PATH, before, before.replace("token =", "api_token ="))
    [hunk] = history.hunks()
    assert KEY not in hunk.old + hunk.new
    assert hunk.old == 'token = "<github-token>"'


def test_a_document_can_be_forgotten(history: EditHistory) -> None:
    """Its hunks are gone, the one that grows too; those of others stay."""
    history.changed(PATH, LINES, LINES.replace("line 3\n", "line three\n"))
    history.changed(OTHER, LINES, LINES.replace("line 3\n", "line three\n"))
    history.changed(PATH, LINES, LINES.replace("line 9\n", "line nine\n"))
    history.forget(PATH)
    assert [hunk.path for hunk in history.hunks()] == [OTHER]


def test_nothing_changed_is_no_change(history: EditHistory) -> None:
    """A client may send a change that changes nothing."""
    history.changed(PATH, LINES, LINES)
    assert history.hunks() == ()


def test_unchanged_lines_around_a_hunk(history: EditHistory) -> None:
    """One above and one below, without secrets; none where the document ends, and none that is very long."""
    before = f'token = "{KEY}"\nname = 1\n{"x" * 201}\n'
    history.changed(PATH, before, before.replace("name", "title"))
    history.changed(OTHER, "a\nb", "a\nc")
    first, second = history.hunks()
    assert (first.above, first.below) == (('token = "<github-token>"',), ())
    assert (second.above, second.below) == (("a",), ())
