"""Documentation: where it belongs, what of an answer it is, and how each language marks it."""

from __future__ import annotations

import pytest

from midfill.actions.docstrings import CONVENTIONS, marked, place_for, text_of
from midfill.actions.reasons import Faulty
from midfill.actions.selection import Selection
from midfill.code.languages import language_of

PYTHON = '''@cache
def f(x):
    return x


class Shop:
    def price(self, net: float) -> float:
        # with tax
        return net * 1.19

    async def name(self):
        """Old."""
        return "shop"

    def one(self): return 1
'''


def place(document: str, line: int, path: str = "x.py") -> tuple[int, int, str]:
    """Return the lines and the indentation of the documentation for what stands at a line, from 1."""
    selection = Selection(document, language_of(path), line - 1, line)
    assert selection.definition is not None
    found = place_for(selection, selection.definition)
    return found.first_line + 1, found.end_line, found.margin


@pytest.mark.parametrize(
    ("line", "expected"),
    [(2, (3, 2, "    ")), (6, (7, 6, "    ")), (9, (9, 8, "        ")), (13, (12, 12, "        "))],
    ids=["below decorators", "of a class", "of a method", "in place of an old one"],
)
def test_docstring_stands_first_in_the_body(line: int, expected: tuple[int, int, str]) -> None:
    """Python's documentation is inserted above the body's first statement."""
    assert place(PYTHON, line) == expected


def test_body_on_the_declarations_line_has_no_room() -> None:
    """It would have to be broken, which is not what was asked for."""
    with pytest.raises(Faulty) as refused:
        place(PYTHON, 15)
    assert refused.value.reason == "one-line"


def test_comment_stands_above_the_declaration() -> None:
    """Other languages' documentation comes first, unless a comment is there already."""
    document = "export function f(x) {\n  return x\n}\n\n/** Old. */\nfunction g() {}\n"
    assert place(document, 2, "x.ts") == (1, 0, "")
    with pytest.raises(Faulty) as refused:
        place(document, 6, "x.ts")
    assert refused.value.reason == "documented"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('```python\n"""\nDouble a number.\n\nArgs:\n    x: it\n"""\n```', "Double a number.\n\nArgs:\n    x: it"),
        ("```python\nDouble a number.\n```", "Double a number."),
        (
            '```python\ndef f(x):\n    """Double.\n\n    :param x: it\n    """\n    return x\n```',
            "Double.\n\n:param x: it",
        ),
        ("```ts\n/**\n * Doubles.\n * @param x - it\n */\nfunction f(x) {}\n```", "Doubles.\n@param x - it"),
        ("```go\n// F doubles.\n// It is quick.\n```", "F doubles.\nIt is quick."),
        ("```rust\n/// Doubles.\n///\n/// # Errors\n```", "Doubles.\n\n# Errors"),
        ("Doubles a number.", "Doubles a number."),
    ],
)
def test_documentation_is_read_out_of_an_answer(answer: str, text: str) -> None:
    """With or without its marks, alone or with the code."""
    assert text_of(answer) == text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no-code"),
        ("```python\ndef f(x):\n    return x\n```", "no-documentation"),
        ('```python\n"""   """\n```', "no-documentation"),
        ("Sure! Here is the docstring:\n\nIt doubles.", "prose"),
    ],
)
def test_answer_without_documentation_is_refused(answer: str, reason: str) -> None:
    """Code is no documentation, and neither is chatter."""
    with pytest.raises(Faulty) as refused:
        text_of(answer)
    assert refused.value.reason == reason


def test_long_line_is_wrapped() -> None:
    """Models write paragraphs."""
    assert max(map(len, text_of("word " * 60).split("\n"))) <= 100


@pytest.mark.parametrize(
    ("grammar", "text", "expected"),
    [
        ("python", "Double.", '"""Double."""'),
        ("python", "Double.\n\nTwice.", '"""Double.\n\nTwice.\n"""'),
        ("python", "As \\n.", 'r"""As \\n."""'),
        ("python", 'Say "x"', '"""Say "x" """'),
        ("java", "Doubles.\n\n@param x it", "/**\n * Doubles.\n *\n * @param x it\n */"),
        ("go", "F doubles.\nTwice.", "// F doubles.\n// Twice."),
        ("lua", "Doubles.\n@param x it", "--- Doubles.\n-- @param x it"),
    ],
)
def test_documentation_is_marked_as_the_language_has_it(grammar: str, text: str, expected: str) -> None:
    """Quotes, stars or slashes."""
    assert marked(text, CONVENTIONS[grammar]) == expected
