"""What was done to some lines is done to others like them."""

from __future__ import annotations

import pytest

from midfill.next_edit.examples import examples
from unit.next_edit.rewriter import edited

RAISED = '    raise TypeError("give a name")\n'
MESSAGE = '    message = "give a name"\n    raise TypeError(message)\n'


def made(before: str, after: str, lines: str) -> str | None:
    """Return what comes of lines by the first example that changes them; None if none does."""
    own = lines.split("\n")
    known = [example for example in examples(edited(before, after)) if len(example.old) == len(own)]
    changed = next(filter(None, (example.made_in(own) for example in known)), None)
    return None if changed is None else "\n".join(changed)


@pytest.mark.parametrize(
    ("before", "after", "lines", "expected"),
    [
        (RAISED, MESSAGE, '        raise TypeError("give an age")',
         '        message = "give an age"\n        raise TypeError(message)'),
        ("if is_open():\n    close(it)\n", "close(it)\n", "  if is_open():\n      close(it)", "  close(it)"),
        ("super(Box, self).open(1)", "super().open(1)", "    super(Bag, self).open(2)", "    super().open(2)"),
        ("\nclass Box(object):\n", "class Box:\n", "class Bag(object):", "class Bag:"),
        ("if not sys.is_open():", "if not is_shut():", "while not sys.is_open() and x:", "while not is_shut() and x:"),
        ("show(list(items), key)", "show(items, key)", "show(dict(pairs), key)", None),
        ("a = one(1)", "a = two(1)", "b = one(1)", None),
        ("import a.b.c.d\n", "\n", "import a.b.c.e", None),
        ("x = f(a, b)", "x = f(a, b)  # done", "", None),
    ],
    ids=["lines", "fewer-lines", "other-name", "blank-line", "part", "nothing-alike", "names-only", "removed", "empty"],
)  # fmt: skip
def test_a_change_is_made_to_lines_of_the_same_shape(before: str, after: str, lines: str, expected: str | None) -> None:
    """With their own words and indentation. Names alone are for renames, and what is gone is no example."""
    assert made(before, after, lines) == expected


def test_the_latest_change_comes_first() -> None:
    """Several lines are tried before each of them alone; the same example counts once."""
    texts = ["f(a, 1)\n\n\n\nf(b, 1)\n", "f(a, 2)\n\n\n\nf(b, 1)\n", "f(a, 2)\n\n\n\ng(b)\n"]
    assert [example.new for example in examples(edited(*texts))] == [("g(b)",), ("f(a, 2)",)]
    [hunk] = edited("f(a, 1)\n", "f(a, 2)\n")
    assert len(examples([hunk, hunk])) == 1


def test_examples_are_few() -> None:
    """A change of many lines has more, which are much alike. A line of very many words is not compared."""
    short = "\n".join(f"f(a, {line})" for line in range(30))
    assert len(examples(edited(short, short.replace("f(", "g(1, ")))) == 16
    long = f"f({', '.join(f'a{number}' for number in range(90))})"
    [example] = examples(edited(long, long.replace("f(", "f(a, ")))
    assert example.made_in([long.replace("a0", "b")]) is None
