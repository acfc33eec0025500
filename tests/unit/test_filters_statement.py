"""The stop at the end of a statement."""

from __future__ import annotations

import pytest

from midfill.filters.statement import stop_at_statement
from unit.helpers import context


def cut(text: str, end: int | None) -> str:
    """Return what is left when ``text`` ends at ``end``."""
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
    """Who types on a line gets the rest of its statement, with the block it opens; on an empty line all is welcome."""
    assert cut(text, stop_at_statement(text, context(marked))) == left
