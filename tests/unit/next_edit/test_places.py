"""Where the next edit may be: at the cursor first, then what the latest changes have left to do, each with why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from midfill.next_edit.places import Reach, places
from midfill.next_edit.types import Document, Place, Why
from unit.next_edit.rewriter import PATH, edited

OTHER = "/work/b.py"
REACH = Reach(above=2, below=9)
FILLING = "".join(f"filling_{number} = {number}\n" for number in range(30))
CALLS = f"def send(to, text):\n    post(to, text)\n\n\n{FILLING}send(anna, hello)\n{FILLING}send(bert, hello)\n"
LIKE = f'a["x"] = get("X")\n{FILLING}a["y"] = get("Y")\n{FILLING}a["z"] = get("Z")\n'


def found(
    before: str, after: str, *others: Document, cursor: Place | None = None, **options: object
) -> Sequence[tuple[str, int, Why]]:
    """Return the places after a change, as path, line and why."""
    documents = [Document(path=PATH, text=after), *others]
    chosen = places(documents, edited(before, after), cursor, REACH, **options)  # type: ignore[arg-type]
    return [(place.path, place.line, place.why) for place in chosen]


def test_without_changes_there_is_no_place() -> None:
    """Not even the cursor's."""
    assert places([Document(path=PATH, text="a")], [], Place(path=PATH, line=0), REACH) == []


def test_cursor_comes_first_and_covers_what_is_near() -> None:
    """A use in the window of the cursor is no place of its own."""
    cursor = Place(path=PATH, line=0, why=Why.CURSOR)
    assert found("r = 1\nprint(r)\n", "q = 1\nprint(r)\n", cursor=cursor) == [(PATH, 0, Why.CURSOR)]


def test_other_uses_of_a_renamed_name() -> None:
    """The nearest one below comes first; whole words count, and a parameter's function only."""
    before = f"def f(r):\n{FILLING.replace('filling', '    filling')}    return r\n\n\ndef g(r):\n    return r + red\n"
    assert found(before, before.replace("f(r)", "f(q)")) == [(PATH, 31, Why.RENAMED)]


def test_calls_of_a_function_with_new_parameters() -> None:
    """In this document, the nearest first, and then in others."""
    other = Document(path=OTHER, text="from a import send\n\nsend(carla, hello)\n")
    cursor = Place(path=PATH, line=0, why=Why.CURSOR)
    assert found(CALLS, CALLS.replace("to, text):", "to, text, reply):"), other, cursor=cursor)[1:] == [
        (PATH, 34, Why.SIGNATURE),
        (PATH, 65, Why.SIGNATURE),
        (OTHER, 2, Why.SIGNATURE),
    ]


def test_lines_of_the_same_shape() -> None:
    """Those that are like the line before the change, and not like the line after it."""
    assert found(LIKE, LIKE.replace('get("X")', 'get("X", "")')) == [
        (PATH, 31, Why.SAME_SHAPE),
        (PATH, 62, Why.SAME_SHAPE),
    ]


def test_a_renamed_definition_is_renamed_in_other_documents() -> None:
    """They come after those of this document."""
    other = Document(path=OTHER, text="import a\n\na.send(1)\n")
    changed = CALLS.replace("def send", "def post_to")
    assert [where[:2] for where in found(CALLS, changed, other)] == [(PATH, 34), (PATH, 65), (OTHER, 2)]


def test_diagnostics_that_appeared() -> None:
    """Also those beyond the end of the document, which are none."""
    lines = {PATH: [40, 9_999]}
    assert found(FILLING * 2, f"new = 1\n{FILLING * 2}", diagnostics=lines) == [(PATH, 40, Why.DIAGNOSTIC)]


@pytest.mark.timeout(60)
def test_many_documents_take_a_bounded_time() -> None:
    """Only some are looked at, the changed one first."""
    text = f"{FILLING * 30}use(r, r)\n" * 20
    others = [Document(path=f"/work/{number}.py", text=f"{number}\n{text}") for number in range(200)]
    before = "".join(f"value_{n} = get(first, {n})\n" for n in range(30)) + text
    chosen = places(
        [*others, Document(path=PATH, text=before.replace("first", "last"))],
        edited(before, before.replace("first", "last")),
        Place(path=PATH, line=0, why=Why.CURSOR),
        REACH,
    )
    assert chosen[0].path == PATH


def test_number_of_places_is_bounded() -> None:
    """The likeliest are kept."""
    before = "".join(f"use(r)\n{FILLING}" for _ in range(20))
    assert len(found(f"r = 1\n{before}", f"q = 1\n{before}", limit=3)) == 3


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", ["use(r, r, r)\n", "(" * 300 + "\n", "r" * 3_000 + "\n"])
def test_any_document_takes_a_bounded_time(line: str) -> None:
    """Many uses, many like lines, and lines that are no code."""
    text = "def f(r):\n    return r\n" + line * 20_000
    assert found(text, text.replace("f(r)", "f(q)"))
