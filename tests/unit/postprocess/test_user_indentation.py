"""The indentation that the user typed: where a suggestion begins, and how its other lines follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.postprocess.user_indentation import begin_at_cursor
from midfill.prompt.context import Context
from unit.helpers import context

UNITS = st.sampled_from([" ", "  ", "   ", "    ", "        ", "\t", "\t\t"])
DEPTHS = st.lists(st.integers(0, 3), max_size=6)


def begun(marked: str, text: str) -> str:
    """Return ``text`` as it begins at the marked cursor."""
    return begin_at_cursor(text, context(marked))


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def add(a, b):\n  ▮", "  return a + b", "return a + b"),
        ("def add(a, b):\n ▮\n", "   return a + b", "return a + b"),
        ("<?php\nfunction add($a, $b) {\n  ▮\n}\n", "  return $a + $b;\n}", "return $a + $b;\n}"),
        ("fn add(a: i32, b: i32) -> i32 {\n  ▮\n}\n", "  a + b\n}", "a + b\n}"),
        ("fun add(a: Int, b: Int): Int {\n  ▮\n}\n", "  return a + b", "return a + b"),
        ("func add(a: Int, b: Int) -> Int {\n  ▮\n}\n", "  return a + b", "return a + b"),
        ("function add(a, b)\n  ▮\nend\n", "  return a + b", "return a + b"),
        ("add() {\n  ▮\n}\n", "  echo $(($1 + $2))", "echo $(($1 + $2))"),
        ("function add(a, b) {\n ▮\n}\n", "   return a + b;", "return a + b;"),
        ("class A {\n   add(a: number) {\n     ▮\n   }\n}\n", " return a;", "return a;"),
        ("message Point {\n  ▮\n}\n", "  int32 x = 1;\n    int32 y = 2;", "int32 x = 1;\n  int32 y = 2;"),
        ("def f():\n\t▮", "\treturn 1\n\t\treturn 2", "return 1\n\treturn 2"),
        ("def f():\n  \t▮", "    return 1", "return 1"),
        ("services:\n   ▮\n", " web:\n      image: a\n    db:", "web:\n     image: a\n   db:"),
        ("  ▮", "  a", "a"),
        ("def f(a,\n      b):\n  ▮", "  return 1", "return 1"),
        ("def f():\n  x = 1\n  ▮", "  return x", "return x"),
        ("    if a:\n        b()\n    ▮", "    c()", "c()"),
        ("def f():\n  ▮", "  ", ""),
    ],
    ids=[
        "Python", "one space", "PHP", "Rust", "Kotlin", "Swift", "Lua", "shell", "JavaScript", "TypeScript", "proto",
        "tab", "space and tab", "YAML", "nothing above", "after parameters", "within a block", "after a block",
        "so far",
    ],
)  # fmt: skip
def test_suggestion_begins_at_the_cursor(marked: str, text: str, left: str) -> None:
    """What the model indents more than the user is cut, and the other lines are shifted along."""
    assert begun(marked, text) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def f(xs):\n  ▮", "  for x in xs:\n        g(x)\n    h()", "for x in xs:\n      g(x)\n  h()"),
        ("def f(xs):\n  ▮", "  for x in xs:\n    g(x)\n  h()", "for x in xs:\n    g(x)\n  h()"),
        ("def f(xs):\n  ▮", "  x = 1\n  return x", "x = 1\n  return x"),
        ("f() {\n  ▮\n}", "  a();\n}\n\ng() {\n    b();", "a();\n}\n\ng() {\n  b();"),
        ("def f(xs):\n    g()\n\n\ndef h():\n\t▮", "x = 1\n    return x", "x = 1\n\treturn x"),
        ("def f(xs):\n    g()\n\n\ndef h():\n\t▮", "if a:\n        b()\n    c()", "if a:\n\t\tb()\n\tc()"),
        ("f() {\n\tg();\n}\n\nh() {\n  ▮\n}\n", "if (a) {\n\t\tb();\n\t}", "if (a) {\n    b();\n  }"),
        ("CREATE TABLE a (\n   ▮\n);\n", " b INT,\n    c INT", "b INT,\n   c INT"),
        ("f() {\n   ▮\n}", " if (a) return;\n    b();", "if (a) return;\n   b();"),
        ("a:\n  b:\n     ▮\n", "c: 1\n    d:\n      e: 1", "c: 1\n     d:\n       e: 1"),
        ("main = do\n   ▮\n", 'print "a"\n  print "b"', 'print "a"\n   print "b"'),
        ("if a:\n    if b:\n        ▮\n", "c()\n    d()", "c()\n    d()"),
    ],
    ids=[
        "nested", "first line alone", "first line alone, flat", "closer", "tab", "tab, nested", "two", "list",
        "statement in one line", "less", "less in Haskell", "outer block of four",
    ],
)  # fmt: skip
def test_later_lines_form_one_block_with_what_the_user_typed(marked: str, text: str, left: str) -> None:
    """Also where only the first line is indented more, and where the model has tabs and the user spaces."""
    assert begun(marked, text) == left


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("def f():\n▮", "    return 1"),
        ("x =▮", "  1"),
        ("    def f(self):\n    ▮", "    return 1"),
        ("    if x:  # why\n    ▮", "    return 1"),
        ("  function f(a)\n  ▮\n  end\n", "  return a"),
        ("    values = numbers\n    ▮", "    .filter(f)"),
        ("def f():\n    x = 1\n  ▮", "  return x"),
        ("    call(\n    ▮\n    )\n", "    first,"),
        ("  ▮", "return 1\n    return 2"),
        ("def f(\n        ▮", "a, b):\n    return a"),
        ("proc a {} {\n    b {\n\tc\n    }\n    ▮\n}\n", "d {\n\te\n    }\n    f"),
    ],
    ids=[
        "column 0", "within a line", "not indented yet", "comment", "function", "chain", "between two levels",
        "argument", "nothing to cut", "body after the arguments",
        "tabs of eight columns between spaces",
    ],
)  # fmt: skip
def test_indentation_that_the_user_has_not_typed_is_kept(marked: str, text: str) -> None:
    """The suggestion may bring the indentation without which it would be wrong."""
    assert begun(marked, text) == text


@given(UNITS, UNITS, st.integers(0, 4), DEPTHS)
def test_block_is_the_users_whatever_the_model_indents(own: str, a_level: str, more: int, depths: list[int]) -> None:
    """The block that the model would have written at its own indentation stands at the user's."""
    base = own + own[0] * more
    lines = ["first", *(a_level.replace(a_level[0], own[0]) * depth + "line" for depth in depths)]
    text = f"\n{base}".join(lines)
    around = Context(f"def f():\n{own}", "", len(own) + 9)
    assert begin_at_cursor(base.removeprefix(own) + text, around) == f"\n{own}".join(lines)


@given(st.text(alphabet="ab \t\n:{}.", max_size=30), st.text(alphabet="ab \t\n:{}.", max_size=30))
def test_only_indentation_changes(prefix: str, text: str) -> None:
    """The words of each line stay."""
    around = Context(prefix, "", len(prefix))
    before, after = text.split("\n"), begin_at_cursor(text, around).split("\n")
    assert [line.lstrip(" \t") for line in after] == [line.lstrip(" \t") for line in before]
