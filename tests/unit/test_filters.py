"""The filters together."""

from __future__ import annotations

from midfill.filters import DROPS, STOPS, finish
from unit.helpers import context


def test_codes_are_told_apart() -> None:
    """Each filter has a reason code of its own."""
    assert len({*STOPS, *DROPS}) == len(STOPS) + len(DROPS)


def test_what_was_cut_is_told() -> None:
    """A finished suggestion comes with what each filter did to it."""
    finished = finish("hello)", context("print(▮)"))
    assert (finished.text, finished.reason, finished.did, finished.kept) == ("hello", "", (("suffix-overlap", -1),), 5)


def test_dropped_suggestion_has_no_text_but_a_reason() -> None:
    """What is not shown is counted with what was cut."""
    finished = finish("return x", context("▮\nreturn x\n"))
    assert (finished.text, finished.reason) == ("", "suffix-repeat")
    assert finished.did == (("suffix-repeat", -8),)


def test_unfiltered_suggestion_is_shown_unless_blank() -> None:
    """Who wants to see what the model says gets it, stopped and trimmed."""
    assert finish("return x", context("▮\nreturn x\n"), unfiltered=True).text == "return x"
    assert finish("  ", context("▮"), unfiltered=True).reason == "blank"
