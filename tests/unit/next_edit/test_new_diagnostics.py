"""Diagnostics that appeared since: by their messages, because lines move."""

from __future__ import annotations

from midfill.next_edit.new_diagnostics import Diagnostic, NewDiagnostics

OLD, NEW = Diagnostic(3, "'os' is not used"), Diagnostic(9, "missing argument 'to'")


def test_first_ones_are_not_new() -> None:
    """They were there before the user changed anything."""
    assert NewDiagnostics().since_first("a", [OLD, NEW]) == []


def test_those_that_appear_later_are_new_until_they_vanish() -> None:
    """Also if the old ones have moved."""
    found = NewDiagnostics()
    found.since_first("a", [OLD])
    assert found.since_first("a", [Diagnostic(4, OLD.message), NEW]) == [9]
    assert found.since_first("a", [NEW, Diagnostic(4, OLD.message)]) == [9]
    assert found.since_first("a", [OLD]) == []


def test_a_second_one_of_a_kind_is_new() -> None:
    """The first one of them is the old one."""
    found = NewDiagnostics()
    found.since_first("a", [OLD])
    assert found.since_first("a", [OLD, Diagnostic(7, OLD.message)]) == [7]


def test_what_comes_again_is_new() -> None:
    """It was repaired meanwhile."""
    found = NewDiagnostics()
    found.since_first("a", [OLD])
    found.since_first("a", [])
    assert found.since_first("a", [OLD]) == [3]


def test_a_closed_document_begins_anew() -> None:
    """As one that was never seen."""
    found = NewDiagnostics()
    found.since_first("a", [])
    found.forget("a")
    assert found.since_first("a", [OLD]) == []


def test_documents_and_diagnostics_are_bounded() -> None:
    """The oldest documents are forgotten, and diagnostics beyond the thousandth are not looked at."""
    found = NewDiagnostics()
    found.since_first("0", [])
    for number in range(1, 100):
        found.since_first(str(number), [])
    assert found.since_first("0", [OLD]) == []
    assert len(found.since_first("99", [NEW] * 5_000)) == 1_000
