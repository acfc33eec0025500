"""An edit that is typed by hand: what is left of it."""

from __future__ import annotations

import pytest

from midfill.next_edit.type_through import parts_of, rest_of
from midfill.next_edit.types import TextEdit

BEFORE = "x = r * 2"
EDIT = TextEdit(4, 5, "radius")


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        (BEFORE, EDIT),
        ("x = ra * 2", TextEdit(5, 6, "adius")),
        ("x = radr * 2", TextEdit(7, 8, "ius")),
        ("x =  * 2", TextEdit(4, 4, "radius")),
    ],
)
def test_rest_of_an_edit(now: str, rest: TextEdit) -> None:
    """What was typed of it, and what was removed, is done."""
    found = rest_of(EDIT, BEFORE, now)
    assert found is not None
    assert found.apply(now) == "x = radius * 2"
    assert len(found.text) <= len(EDIT.text)
    assert found.apply(now) == rest.apply(now)


@pytest.mark.parametrize("now", ["x = radius * 2", "x = side * 2", "x = r * 3", "y = r * 2", "", "x = r"])
def test_nothing_is_left(now: str) -> None:
    """It is made, or something else was typed."""
    assert rest_of(EDIT, BEFORE, now) is None


def test_parts_of_an_edit() -> None:
    """What stays between two changes is no part of them."""
    document = "# a\nx = r\ny = r\n"
    edit = TextEdit(4, 15, "x = radius\ny = radius")
    assert parts_of(edit, document) == (TextEdit(8, 9, "radius"), TextEdit(14, 15, "radius"))
