"""The stop at the end of a statement."""

from __future__ import annotations

import pytest

from midfill.code.languages import language_of
from midfill.postprocess.place import place_of
from midfill.postprocess.statement import stop_at_statement
from midfill.postprocess.stops import find_stop
from unit.helpers import context


def cut(text: str, end: int | None) -> str:
    """Return ``text`` up to ``end``; all of it for None."""
    return text[:end]


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("total = ▮", "a + b\nprint(total)\n", "a + b"),
        ("    total = ▮", "f(\n        a,\n    )\n    print(total)\n", "f(\n        a,\n    )"),
        ("for x in ▮", "xs:\n    use(x)\n\nprint()\n", "xs:\n    use(x)\n"),
        ("if ▮", "a:\n    b()\nelse:\n    c()\nd()\n", "a:\n    b()\nelse:\n    c()"),
        ("function f(▮", "x) {\n  return x;\n}\nf(1);\n", "x) {\n  return x;\n}"),
        ("total = a ▮", "+\\\n    b\nc\n", "+\\\n    b"),
        ("# the ▮", "sum of:\nx = 1\n", "sum of:"),
        ("let x = a▮", ".map(b,\n  c)\n  .d()\ne()\n", ".map(b,\n  c)\n  .d()"),
        ("if ▮", "a:\n    b()\nel", "a:\n    b()\nel"),
        ("total = ▮", "a + b", "a + b"),
        ("    ▮", "a = 1\n    b = 2\n", "a = 1\n    b = 2\n"),
    ],
    ids=[
        "one line", "brackets", "block", "else", "braces", "line joined", "comment", "method chain",
        "a word that may become else", "still on its line", "empty line",
    ],
)  # fmt: skip
def test_end_of_the_statement_on_the_line(marked: str, text: str, left: str) -> None:
    """The text ends with the statement and the block that it opens; on an empty line it does not end."""
    assert cut(text, stop_at_statement(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("x = 1  # see ▮", "the list:\ny = 2\n", "the list:"),
        ('def f():\n    """Return ▮', "the sum of:\n        all\n", "the sum of:"),
        ('if f("▮', 'a"):\n    b()\nc\n', 'a"):\n    b()'),
        ("query = ▮", '"""\nselect 1\n"""\nrun(query)\n', '"""\nselect 1\n"""'),
        ("if a:  # b▮", "\n    c()\nd()\n", ""),
    ],
    ids=["comment", "docstring", "string closed on the line", "string of several lines", "comment after a colon"],
)
def test_comments_and_strings_are_no_statements(marked: str, text: str, left: str) -> None:
    """In a comment or docstring the line is the end; a string of several lines ends with its quotes."""
    around = context(marked)
    assert cut(text, stop_at_statement(text, around, place_of(around, language_of("a.py")))) == left


@pytest.mark.parametrize(
    ("marked", "path", "text", "left"),
    [
        ("def f(x):▮\n", "a.py", "\n    y = x\n    return y\n\nf(1)\n", "\n    y = x\n    return y\n"),
        ("if (x) {▮\n", "a.js", "\n  y();\n  z();\n}\nmore();\n", "\n  y();\n  z();\n}"),
        ("def f(x):\n    ▮\n", "a.py", "y = x\n    return y\n\nf(1)\n", "y = x\n    return y\n"),
        ("x = f(▮)\n", "a.py", "a, b)\ny = 1\n", "a, b"),
        ("x = a ▮\n", "a.py", "+ b\ny = 1\n", "+ b"),
        ("x = a ▮ + c\n", "a.py", "+ b\ny = 1\n", "+ b"),
    ],
    ids=["after def", "after a brace", "empty line in a block", "in brackets", "in an expression", "code to the right"],
)
def test_lines_of_an_automatic_suggestion(marked: str, path: str, text: str, left: str) -> None:
    """A new block is generated to its end, an expression to the end of its line."""
    around = context(marked)
    place = place_of(around, language_of(path))
    ending = find_stop(text, around, 1 if around.wants_one_line else 12, one_statement=True, place=place)
    assert ending is not None
    assert text[: ending.end] == left
