"""The drops: when a suggestion is not worth showing."""

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
def test_reason_not_to_show_a_suggestion(marked: str, text: str, reason: str) -> None:
    """Nothing, and the line that follows at the same indentation, are not shown; the reason has a code."""
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
def test_what_follows_in_the_document_is_not_suggested(marked: str, text: str, reason: str) -> None:
    """Up to three lines below are compared, and nearly the same is the same but in a series of like lines."""
    assert drops.reason_to_drop(text, context(marked), PLAIN_TEXT) == reason


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
def test_what_stands_above_is_not_suggested(marked: str, text: str, reason: str) -> None:
    """A line or block that was just written is not written again, unless that is what the document does."""
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
    ],
)
def test_going_round_in_circles_is_not_shown(text: str, is_dropped: bool) -> None:
    """Few characters often or many thrice are extreme; rows of signs and numbers are code."""
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
def test_what_was_just_written_is_dropped(marked: str, text: str, is_dropped: bool) -> None:
    """A suggestion accepted is not suggested again, but the third of a series may be, and so may a row of numbers."""
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
def test_comment_that_says_nothing_is_not_shown(marked: str, text: str, is_dropped: bool) -> None:
    """A place-holder for code is no suggestion; a comment with a word of its own is."""
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
    """What starts a comment in one language is code in another."""
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
def test_name_of_a_file_is_not_shown(language_id: str, text: str, is_dropped: bool) -> None:
    """Where a path is no code, a line that is one begins another file."""
    assert drops.drop_file_path(text, context("▮"), language_of("", language_id)) is is_dropped


@pytest.mark.parametrize(
    ("text", "reason"), [(")", "too-short"), ("):", "too-short"), (" x1 ", "too-short"), ("x[1]", "")]
)
def test_too_little_is_shown_to_who_asks_only(text: str, reason: str) -> None:
    """Fewer than four characters are typed sooner than read."""
    assert drops.reason_to_drop(text, context("▮"), PLAIN_TEXT, automatic=True) == reason
    assert drops.reason_to_drop(text, context("▮"), PLAIN_TEXT) == ""


def test_reasons_that_need_the_language_have_codes() -> None:
    """They come after those that need nothing."""
    assert drops.reason_to_drop("# src/app.py", context("▮"), PYTHON) == "path"
    assert drops.reason_to_drop("# TODO", context("▮"), PYTHON) == "empty-comment"


def test_stand_in_for_a_secret_is_not_shown() -> None:
    """What the prompt had in place of a secret would break the code, and says that there is one."""
    placeholders = frozenset({"<github-token>"})
    assert (
        drops.reason_to_drop('"<github-token>"', context("x = ▮"), PYTHON, placeholders=placeholders) == "placeholder"
    )
    assert drops.reason_to_drop('"<token>"', context("x = ▮"), PYTHON, placeholders=placeholders) == ""


def test_code_that_does_not_fit_is_not_shown() -> None:
    """The grammar has the last word."""
    assert drops.reason_to_drop("Here is the code you want", context("def f():\n    ▮\n"), PYTHON) == "syntax"
    assert drops.reason_to_drop("return 1", context("def f():\n    ▮\n"), PYTHON) == ""


@pytest.mark.parametrize("drop", DROPS.values(), ids=DROPS)
def test_nothing_in_nothing_can_be_judged(drop: drops.Drop) -> None:
    """An empty document is a document."""
    assert drop("x = 1", context("▮")) is False
