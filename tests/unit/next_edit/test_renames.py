"""Which names a change replaced, how far that reaches, and what a change makes of a line of the same shape."""

from __future__ import annotations

import pytest

from midfill.next_edit.analogy import is_like, transferred
from midfill.next_edit.renames import Rename, renames_between, renames_in
from midfill.next_edit.scopes import ScopedRename, scoped_renames
from midfill.next_edit.types import Document
from unit.next_edit.rewriter import PATH, edited

CODE = """def area(r):
    return r * r


def length(r):
    return 2 * r


class Box:
    def side(self):
        pass
"""


@pytest.mark.parametrize(
    ("old", "new", "renames"),
    [
        ("def f(a, b):", "def f(first, b):", [Rename("a", "first")]),
        ("x = a + a", "x = b + b", [Rename("a", "b")]),
        ("f(a, b)", "f(b, a)", []),
        ("f(1)", "f(2)", []),
        ("f(a)", "f(a, b)", []),
        ("a", "b c", []),
    ],
)
def test_names_that_a_change_replaced(old: str, new: str, renames: list[Rename]) -> None:
    """One name for one name; numbers and additions are no rename."""
    assert renames_between(old, new) == renames


def test_a_rename_is_followed_to_its_last_name() -> None:
    """What was renamed twice is renamed once; what has its old name again is not renamed."""
    assert renames_in(edited("a = 1\n\n\n\n", "b = 1\n\n\n\n")) == [Rename("a", "b")]
    far = "\n" * 9
    chain = edited(f"a = 1{far}a = 2", f"b = 1{far}a = 2", f"b = 1{far}c = 2")
    assert renames_in(chain) == [Rename("a", "c")]


def scopes(before: str, after: str, document: Document | None = None) -> list[ScopedRename]:
    """Return the renames of one change, and where they hold."""
    return scoped_renames(document or Document(path=PATH, text=after), edited(before, after))


def test_a_parameter_is_renamed_in_its_function() -> None:
    """The function below has a parameter of the same name, which is another one."""
    assert scopes(CODE, CODE.replace("area(r)", "area(radius)")) == [ScopedRename(Rename("r", "radius"), 0, 2)]


@pytest.mark.parametrize(
    ("old", "new"), [("def area", "def surface"), ("class Box", "class Cube")], ids=["function", "class"]
)
def test_a_definition_is_renamed_everywhere(old: str, new: str) -> None:
    """Also in other documents."""
    after = CODE.replace(old, new)
    for document in (Document(path=PATH, text=after), Document(path="/work/b.py", text="import a\n")):
        [found] = scopes(CODE, after, document)
        assert found.covers(0)
        assert found.covers(10_000)


def test_a_parameter_is_no_rename_in_other_documents() -> None:
    """There the name is another one."""
    assert scopes(CODE, CODE.replace("area(r)", "area(radius)"), Document(path="/work/b.py", text="r = 1\n")) == []


@pytest.mark.parametrize(
    ("line", "old", "new", "expected"),
    [
        ('c["p"] = get("P")', 'c["h"] = get("H")', 'c["h"] = get("H", "")', 'c["p"] = get("P", "")'),
        ('u = "/orders/" + id;', 'u = "/users/" + id;', "u = `/users/${id}`;", "u = `/orders/${id}`;"),
        ("    log(second)", "    log(first)", "    log.debug(first)", "    log.debug(second)"),
        ("total(a, b)", "total(a)", "total(a, rate)", "total(a, b, rate)"),
        ("log(second)", "log(first)", "log()", None),
    ],
)
def test_a_change_is_made_to_a_like_line(line: str, old: str, new: str, expected: str | None) -> None:
    """What the change removes must stand at the same place."""
    assert transferred(line, old, new) == expected


@pytest.mark.parametrize(
    ("line", "like"),
    [
        ('config["port"] = get("PORT")', True),
        ('config["port"] = get("PORT", "")', False),
        ("return total", False),
        ("x" * 1_000, False),
    ],
)
def test_a_like_line_has_the_old_shape(line: str, like: bool) -> None:
    """A line that has the new shape already was changed before."""
    assert is_like(line, 'config["host"] = get("HOST")', 'config["host"] = get("HOST", "")') is like
