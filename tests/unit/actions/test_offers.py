"""Which actions are offered in a place."""

from __future__ import annotations

import pytest

from lengths import cases, length
from midfill.actions import ActionTask
from midfill.actions.offers import Offer, offers_for_diagnostic, offers_for_lines
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag, Cancelled
from unit.hostile import UNITS, hostile

CODE = "def tax(net):\n    rate = 0.19\n    return net * rate\n\n\n# the area of a circle\n"


def offered(line: int, *, selected: bool = False, document: str = CODE, path: str = "a.py") -> dict[str, Offer]:
    """Return what is offered at a line, from 0, by the actions' names."""
    task = ActionTask(Selection(document, language_of(path), line, line + 1, path))
    return {offer.action.name: offer for offer in offers_for_lines(task, selected=selected)}


def test_action_is_offered_where_it_has_something_to_do() -> None:
    """What cannot be prepared is not offered; what the user must say first is marked."""
    found = offered(2)
    assert list(found) == [
        *("write", "document", "types", "simplify", "faster"),
        *("tests", "explain", "ask", "document-all", "review"),
    ]
    assert {name for name, offer in found.items() if offer.needs_input} == {"write", "ask"}
    assert found["ask"].title == "Ask about this code…"
    assert not offered(5)["write"].needs_input, "the comment says what to write"
    assert "types" not in offered(0, document="func f() {}\n", path="a.go")


def test_action_that_needs_selected_lines_is_not_offered_for_a_cursor() -> None:
    """A cursor is in one line, which is hardly what somebody wants to take out."""
    assert "extract" not in offered(1)
    assert "extract" in offered(1, selected=True)


def test_action_of_a_file_is_offered_anywhere_for_all_of_it() -> None:
    """Whatever lines are selected."""
    assert {name for name, offer in offered(4).items() if offer.whole_file} == {"document-all", "review"}


def test_diagnostic_is_offered_a_fix() -> None:
    """Its title has the first line, shortened; its message has all of them and the source."""
    [offer] = offers_for_diagnostic("name 'x' is not defined\nmore", "lint: 7")
    assert (offer.action.name, offer.title) == ("fix", "Fix: name 'x' is not defined")
    assert offer.message == "name 'x' is not defined\nmore (lint: 7)"
    [long] = offers_for_diagnostic("x" * 61, "")
    assert (long.title, long.message) == (f"Fix: {'x' * 59}…", "x" * 61)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("selected", [False, True])
@pytest.mark.parametrize("name", cases(UNITS, ["word", "quotes", "functions", "lines of brackets", "short lines"]))
def test_offers_in_any_text_are_found_in_a_bounded_time(name: str, selected: bool) -> None:
    """Only what is around the lines is read."""
    document = hostile(name, length(100_000, 3_000_000))
    task = ActionTask(Selection(document, language_of("a.py"), 0, 1 + selected * document.count("\n"), "a.py"))
    assert len(list(offers_for_lines(task, selected=selected))) < 12


def test_nothing_is_offered_in_a_file_that_is_far_too_long() -> None:
    """It is not even read."""
    assert not offered(0, document=f"{CODE}{'x' * 10_000_000}")


def test_search_for_offers_can_be_cancelled() -> None:
    """It ends before the next action."""
    cancel = CancelFlag()
    found = offers_for_lines(ActionTask(Selection(CODE, language_of("a.py"), 2, 3)), selected=False, cancel=cancel)
    assert next(found).action.name == "write"
    cancel.set("cancelled")
    with pytest.raises(Cancelled):
        next(found)
