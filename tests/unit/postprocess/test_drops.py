"""The drops: when a suggestion is not shown."""

from __future__ import annotations

import pytest

from midfill.code.languages import PLAIN_TEXT, language_of
from midfill.postprocess import drops
from midfill.postprocess.drops import DROPS
from unit.helpers import context

PYTHON, JAVASCRIPT = language_of("a.py"), language_of("a.js")


@pytest.mark.parametrize(
    ("marked", "text", "reason"),
    [
        ("▮", "", "blank"),
        ("▮", " \n\t", "blank"),
        ("    ▮\n    return x\n", "return x", "suffix-repeat"),
        ("▮\n\n  return x\n", "  return x  ", "suffix-repeat"),
        ("re▮\n\nreturn x\n", "turn x", "suffix-repeat"),
        ("        ▮\n    return x\n", "return x", ""),
        ("if a: ▮\nreturn x\n", "return x", ""),
        ("▮\n}\n", "}", ""),
        ("▮\nreturn x\n", "return y", ""),
        ("▮", "return x", ""),
    ],
)
def test_blank_text_and_the_line_below_are_dropped(marked: str, text: str, reason: str) -> None:
    """Blank text, and the line below with the same indentation, have reason codes."""
    assert drops.reason_to_drop(text, context(marked), PLAIN_TEXT) == reason


@pytest.mark.parametrize(
    ("marked", "text", "reason"),
    [
        ("▮\ntotal = compute(values, weights)\n", "total = compute(values, weight)", "suffix-repeat"),
        ("▮\nx = 1\n\ny = 2\nz = 3\n", "x = 1\ny = 2", "suffix-repeat"),
        ("▮\nx = 1\ny = 2\nz = 3\n", "x = 1\ny = 2\nz = 3", "suffix-repeat"),
        ("▮\nx = 1\ny = 2\n", "x = 1\ny = 3", ""),
        ("▮\n]\n", "]", ""),
        ("f(▮)\nf(left)\n", "left", "suffix-repeat"),
        (
            "assert add(left=1, right=2, carry=0) == 3\n▮\nassert add(left=3, right=2, carry=0) == 5\n",
            "assert add(left=2, right=2, carry=0) == 5",
            "",
        ),
    ],
    ids=["nearly", "two lines", "three lines", "second differs", "bracket", "with the rest of the line", "series"],
)
def test_lines_below_are_not_suggested(marked: str, text: str, reason: str) -> None:
    """Up to three lines are compared; nearly equal lines count as equal, except in a series of similar lines."""
    assert drops.reason_to_drop(text, context(marked), PLAIN_TEXT) == reason


BELOW = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n"


@pytest.mark.parametrize(
    ("marked", "text", "is_dropped"),
    [
        (f"▮\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4", True),
        (f"▮\n{BELOW}", "a = 1\n\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6", True),
        (f"▮\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4\ng = 7", True),
        (f"▮\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = ", True),
        (f"▮\n{BELOW}", "c = 3\nd = 4\ne = 5\nf = 6", True),
        (f"▮\nx = 1\ny = 2\nz = 3\nx = 4\ny = 5\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4", True),
        (f"a▮\n{BELOW}", " = 1\nb = 2\nc = 3\nd = 4", True),
        (f"▮\n{BELOW}", "a = 1\nb = 2\nc = 3\nx = 4", False),
        (f"▮\n{BELOW}", "  a = 1\n  b = 2\n  c = 3\n  d = 4", False),
        (f"▮\n{BELOW}{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4", False),
        (f"{BELOW}g = 7\n▮\nx = 1\ny = 2\nz = 3\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4", False),
        (f"{BELOW}g = 7\n▮\n{BELOW}", "a = 1\nb = 2\nc = 3\nd = 4", True),
        ("▮\n)\n}\n)\n}\n", ")\n}\n)\n}", False),
    ],
    ids=[
        "four lines", "six", "and another", "cut short", "third line on", "far below", "typed in part",
        "fourth differs", "other block", "pattern", "pattern above", "right below", "no word",
    ],
)  # fmt: skip
def test_four_lines_and_more_that_stand_below_are_dropped(marked: str, text: str, is_dropped: bool) -> None:
    """However many lines stand below already, the suggestion would double them, unless the document repeats them."""
    assert drops.drop_suffix_repeat(text, context(marked)) is is_dropped


@pytest.mark.parametrize(
    ("marked", "text", "reason"),
    [
        ("total = 0\n▮", "total = 0", "above-repeat"),
        ("total = 0\n\nto▮", "tal = 0", "above-repeat"),
        ("total = 0\n▮", "total = 0\nfor x in xs:", "above-repeat"),
        ("a = first()\nb = a\n▮", "a = first()\nb = a", "above-repeat"),
        ("print(a)\nprint(▮)", "a", "above-repeat"),
        ("total = 0\n▮", "totals = 0", ""),
        ("    total = 0\n▮", "total = 0", ""),
        ("    },\n    },\n▮", "    },", ""),
        ("row()\nrow()\n▮", "row()", ""),
        ("▮", "total = 0", ""),
    ],
    ids=[
        "line",
        "typed in part",
        "and more",
        "block",
        "with the rest",
        "another",
        "other block",
        "bracket",
        "pattern",
        "nothing above",
    ],
)
def test_lines_above_are_not_suggested(marked: str, text: str, reason: str) -> None:
    """The line or block above is not repeated, unless the document already repeats it."""
    assert drops.reason_to_drop(text, context(marked), PLAIN_TEXT) == reason


@pytest.mark.parametrize(
    ("text", "is_dropped"),
    [
        ("no no no no no no", True),
        ("x = very_long_name()x = very_long_name()x = very_long_name()", True),
        ("a = 1\nb = 2\na = 1\nb = 2", True),
        ("a()\na()", False),
        ("[0, 0, 0, 0, 0, 0, 0, 0]", False),
        ("# ------------------------------------------", False),
        ("x = 1\n                                        y = 2", False),
        ("ha ha ha ha", False),
        ("left.x, left.y, right.x, right.y", False),
        ("🎉" * 62, True),
        ("❤️ ❤️ ❤️ ❤️ ❤️ ❤️ ", True),
        ("👨‍👩‍👧" * 8, True),
        ("= = = = = = = =", True),
        ("x = 1" + "0" * 60, True),
        ("x = 0." + "3" * 60, True),
        ("1000000" * 6, True),
        ("1000000, " * 6, True),
        ("\u200b" * 50, True),
        ("(" * 70, True),
        (")" * 12, False),
        ("-" * 300, True),
        ("0, " * 40, True),
        ("() " * 8, True),
        ("⭐⭐⭐⭐⭐", False),
        ("x = 1000000", False),
        ("x = 1000000000000000000", False),
        ("x = 0b1" + "0" * 31, False),
        ("x = '" + "deadbeef" + "0" * 32 + "'", False),
        ('zero = "' + "0" * 64 + '"', False),
        ("0 0 * * * * *", False),
        ("| --- | --- | --- | --- | --- | --- |", False),
        ("?, ?, ?, ?, ?, ?, ?, ?", False),
        ("_, _, _, _, _ = f()", False),
        ("{" + "0, " * 15 + "0}", False),
        ("255, 255, 255, 255, 255", False),
        ("# " + "=" * 78, False),
        ("// " + "─" * 78, False),
        ("))))))))", False),
    ],
)
def test_repetition_is_dropped(text: str, is_dropped: bool) -> None:
    """Loops are dropped, with letters or without; rules, tables, and rows of signs and numbers are not."""
    assert drops.drop_repetition(text, context("▮")) is is_dropped


@pytest.mark.parametrize(
    ("marked", "text", "is_dropped"),
    [
        ("call(first, second)▮", "call(first, second)", True),
        ("    one = load()\n▮", "    one = load()\n", True),
        ("call(first, second)call(first, second)▮", "call(first, second)", False),
        ("0, 0, 0, 0, ▮", "0, 0, 0, 0, ", False),
        ("number▮", "number", False),
        ("call(first, second)▮", "call(first, third)", False),
    ],
)
def test_text_before_the_cursor_is_not_suggested_again(marked: str, text: str, is_dropped: bool) -> None:
    """An accepted suggestion is not repeated; a third repetition and a row of numbers are allowed."""
    assert drops.drop_repetition(text, context(marked)) is is_dropped


@pytest.mark.parametrize(
    ("marked", "text", "is_dropped"),
    [
        ("▮", "# TODO", True),
        ("# ▮", "TODO: implement this", True),
        ("▮", "#", True),
        ("    ▮", "# your code here", True),
        ("▮", "# ... rest of the code ...\n# ...", True),
        ("▮", "# Add your code here\nx = 1", False),
        ("▮", "# TODO: cache the answers", False),
        ("▮", "# the rest of the list is sorted", False),
        ("▮", "# remaining seconds", False),
        ("▮", "# ----------", False),
        ("x = 1  # ▮", "TODO", False),
        ("▮", "x = 1", False),
    ],
)
def test_empty_comment_is_dropped(marked: str, text: str, is_dropped: bool) -> None:
    """A placeholder comment is dropped; a comment with other words is not."""
    assert drops.drop_empty_comment(text, context(marked), PYTHON) is is_dropped


@pytest.mark.parametrize(
    ("text", "is_dropped"),
    [
        ("// ... existing code ...", True),
        ("/* TODO */", True),
        ("# your code here", False),
        ("*/", False),
        ("/* the sum */", False),
    ],
)
def test_comments_are_the_languages_own(text: str, is_dropped: bool) -> None:
    """Only the comment marks of the document's language count."""
    assert drops.drop_empty_comment(text, context("▮"), JAVASCRIPT) is is_dropped


@pytest.mark.parametrize(
    ("language_id", "text", "is_dropped"),
    [
        ("python", "# src/app/models.py", True),
        ("python", "# models.py", True),
        ("javascript", "// path/to/file.ts", True),
        ("javascript", "src/index.js", True),
        ("python", "total/count.mean", False),
        ("python", "# see models.py", False),
        ("python", "# version 1.5", False),
        ("python", "self.name", False),
        ("shellscript", "bin/setup.sh", False),
        ("plaintext", "src/index.js", False),
        ("markdown", "src/index.js", False),
    ],
)
def test_path_of_a_file_is_dropped(language_id: str, text: str, is_dropped: bool) -> None:
    """A line that is only a path is dropped, except in languages where it is code or prose."""
    assert drops.drop_file_path(text, context("▮"), language_of("", language_id)) is is_dropped


@pytest.mark.parametrize(
    ("text", "reason"), [(")", "too-short"), ("):", "too-short"), (" x1 ", "too-short"), ("x[1]", "")]
)
def test_short_text_is_dropped_only_for_automatic_requests(text: str, reason: str) -> None:
    """An invoked request also gets fewer than four characters."""
    assert drops.reason_to_drop(text, context("▮"), PLAIN_TEXT, automatic=True) == reason
    assert drops.reason_to_drop(text, context("▮"), PLAIN_TEXT) == ""


def test_reasons_that_need_the_language_have_codes() -> None:
    """They have reason codes, too."""
    assert drops.reason_to_drop("# src/app.py", context("▮"), PYTHON) == "path"
    assert drops.reason_to_drop("# TODO", context("▮"), PYTHON) == "empty-comment"


def test_placeholder_of_a_secret_is_dropped() -> None:
    """A placeholder would break the code, and reveals that the document has a secret."""
    placeholders = frozenset({"<github-token>"})
    assert (
        drops.reason_to_drop('"<github-token>"', context("x = ▮"), PYTHON, placeholders=placeholders) == "placeholder"
    )
    assert drops.reason_to_drop('"<token>"', context("x = ▮"), PYTHON, placeholders=placeholders) == ""


def test_text_that_does_not_fit_the_grammar_is_dropped() -> None:
    """Text with a syntax error has a reason code."""
    assert drops.reason_to_drop("Here is the code you want", context("def f():\n    ▮\n"), PYTHON) == "syntax"
    assert drops.reason_to_drop("return 1", context("def f():\n    ▮\n"), PYTHON) == ""


@pytest.mark.parametrize("drop", DROPS.values(), ids=DROPS)
def test_empty_document_drops_nothing(drop: drops.Drop) -> None:
    """In an empty document an ordinary line is shown."""
    assert drop("x = 1", context("▮")) is False
