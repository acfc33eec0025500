"""The mends: how a suggestion is adapted to the document."""

from __future__ import annotations

import pytest

from midfill.code.languages import PLAIN_TEXT, language_of
from midfill.postprocess import begin
from midfill.postprocess.mends import indentation_of, keep_blank_lines, keep_indentation, merge_with_rest
from midfill.prompt.context import gather
from unit.helpers import context
from unit.hostile import UNITS, hostile


@pytest.mark.parametrize(
    ("marked", "unit"),
    [
        ("func f() {\n\tif x {\n\t\ty()\n\t▮\n}\n", "\t"),
        ("def f():\n    if x:\n        y()\n    ▮\n", "    "),
        ("function f() {\n  if (x) {\n    y();\n  ▮\n}\n", "  "),
        ("\t▮", "\t"),
        ("/*\n * a\n * b\n */\nvoid f() {\n\tx();\n▮}\n", "\t"),
        ("a\nb\n▮", ""),
        ("\ta\n    b\n▮", ""),
        ("    a\n        b\n\t▮", ""),
    ],
    ids=["tabs", "four", "two", "cursor's line", "comment's stars", "none", "mixed", "cursor's line differs"],
)
def test_documents_own_indentation(marked: str, unit: str) -> None:
    """The indentation of most lines decides; a mixed document has none."""
    assert indentation_of(context(marked)) == unit


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("\tif x {▮", "\n        y()\n    }", "\n\t\ty()\n\t}"),
        ("\tif x {▮", "\n    y()\n  }", "\n\t\ty()\n\t}"),
        ("if x {▮\n\ta\n", "\n    y()\n        z()", "\n\ty()\n\t\tz()"),
        ("\t▮", "    y()", "\ty()"),
        ("\tx = ▮", "    y()", "    y()"),
        ("\tf(▮", "a,\n\t  b)", "a,\n\t  b)"),
        ("    if x:\n        y()\n    if z:▮", "\n\t\ty()", "\n        y()"),
        ("  a:\n    b\n  c:▮", "\n\t\td", "\n    d"),
        ("    if x:▮", "\n        y = '\t'", "\n        y = '\t'"),
        ("\tif x {▮", "\n        ", "\n        "),
    ],
    ids=[
        "to tabs", "two spaces", "column 0", "empty line", "within a line", "aligned", "to four", "to two", "string",
        "so far",
    ],
)  # fmt: skip
def test_suggestion_is_indented_as_the_document(marked: str, text: str, left: str) -> None:
    """Indentation becomes the document's tabs or spaces, level by level; alignment is kept."""
    around = context(marked)
    assert keep_indentation(text, around, indentation_of(around)) == left


@pytest.mark.parametrize(
    ("file_name", "marked", "text", "left"),
    [
        ("a.go", "func f() {\n\ta()\n\t▮", "x := `\n    b`\n    c()", "x := `\n    b`\n\tc()"),
        ("a.go", "func f() {\n\ta()\n\tx := `▮", "\n    b\n    c`\n    d()", "\n    b\n    c`\n\td()"),
        ("a.py", "if a:\n    b()\n    ▮", 'c = """\n\td"""\n\te()', 'c = """\n\td"""\n    e()'),
        ("a.sh", "f() {\n    a\n    ▮", "cat <<EOF\n\tb\nEOF\n\tc", "cat <<EOF\n\tb\nEOF\n    c"),
        ("Makefile", "A = \\\n    b \\\n    c\n\n▮", "all:\n\tcc a.c", "all:\n\tcc a.c"),
        ("Makefile", "all:\n\tcc a.c\n▮", "ifdef A\n    B = 1\nendif", "ifdef A\n    B = 1\nendif"),
        ("a.yaml", "a: |\n\tb\n\tc\n▮", "d:\n    e: 1", "d:\n    e: 1"),
        ("a.md", "- a\n\tb\n\tc\n▮", "- d\n    e", "- d\n    e"),
        ("a.patch", "\ta\n\tb\n▮", "     c", "     c"),
    ],
    ids=[
        "string", "within a string", "Python in a string", "here-document", "recipe", "conditional", "YAML", "Markdown",
        "patch",
    ],
)  # fmt: skip
def test_white_space_that_means_something_is_kept(file_name: str, marked: str, text: str, left: str) -> None:
    """Neither strings nor a recipe's tab are turned into what most lines have."""
    around = context(marked)
    assert keep_indentation(text, around, indentation_of(around), language_of(file_name)) == left


def test_makefile_keeps_the_tab_that_the_user_typed_and_the_spaces_below() -> None:
    """The spaces after a continued line of a recipe are not a level of indentation."""
    text = "cc -o a \\\n    a.c"
    assert begin(text, context("all:\n\t▮"), "", language_of("Makefile")) == text


@pytest.mark.parametrize(
    ("file_name", "marked", "text"),
    [
        ("a.py", "▮", 'a = """\n\n\n\n    b"""'),
        ("a.sh", "cat <<EOF\n▮", "a\n\n\n\nb"),
        ("a.vue", "<script>\n▮", "a = `\n\n\n\nb`"),
        ("a.yaml", "a: |\n  ▮", "b\n\n\n\n  c"),
    ],
    ids=["own string", "here-document", "script in a page", "YAML"],
)
def test_blank_lines_in_a_string_are_kept(file_name: str, marked: str, text: str) -> None:
    """They are a part of its value."""
    assert keep_blank_lines(text, context(marked), language_of(file_name)) == text


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("    ▮", "a\n\n\n    b", "a\n\n    b"),
        ("    ▮", "a\n  \n\n\n    b", "a\n\n    b"),
        ("▮", "a\n\nb", "a\n\nb"),
        ("▮", "a\n\n\nb", "a\n\nb"),
        ("x\n\n\n▮", "a\n\n\nb", "a\n\n\nb"),
        ("x\n\n\n▮", "a\n\n\n\nb", "a\n\n\nb"),
        ("x\n\n\n    ▮", "a\n\n\n    b", "a\n\n    b"),
    ],
    ids=["two", "three", "one", "column 0", "document has two", "three where it has two", "within a block"],
)
def test_no_two_blank_lines_where_the_document_has_one(marked: str, text: str, left: str) -> None:
    """Two blank lines are kept before column 0 when the document has two somewhere."""
    assert keep_blank_lines(text, context(marked)) == left


@pytest.mark.parametrize(
    ("marked", "text", "line"),
    [
        ("foo(▮a, b)", "x, ", "foo(x, a, b)"),
        ("foo(▮a, b)", "x, b)", "foo(x, b)"),
        ("print(▮a)", "b + a, c)", "print(b + a, c)"),
        ("let x = ▮a;", "b + 1;", "let x = b + 1;"),
        ("ge▮t_name()", "t_name", "get_name()"),
        ("get▮Name()", "User", "getUserName()"),
        ("x = ▮a + b", "c * ", "x = c * a + b"),
        ("f(▮a, b, c", "x,", "f(x,a, b, c"),
        ("f(▮a)", "g(b)", "f(g(b)a)"),
        ("f(▮)", "a", "f(a)"),
        ("class A▮(object):", "b):", "class Ab):(object):"),
        ("print(▮a)", "b, 'c')", "print(b, 'c')"),
    ],
    ids=[
        "fits", "common end", "around it", "semicolon", "word anew", "within a word", "before", "comma", "own bracket",
        "closer", "the rest's own bracket", "quote",
    ],
)  # fmt: skip
def test_rest_of_the_line_that_the_suggestion_repeats_is_replaced(marked: str, text: str, line: str) -> None:
    """In any language, equal words at the end decide what the suggestion replaces."""
    assert merged(marked, text, PLAIN_TEXT.ids[0]) == line


@pytest.mark.parametrize(
    ("marked", "text", "line"),
    [
        ("return ▮x", "y + 1", "return y + 1"),
        ("return ▮x", "y + z", "return y + z"),
        ("return ▮x", "y + ", "return y + x"),
        ("return ▮x", "self.", "return self.x"),
        ("f(▮a)", "g(y)", "f(g(y))"),
        ("z = ▮a.b(1)", "y", "z = y.b(1)"),
        ("return ▮x", "-", "return -x"),
    ],
    ids=["number", "known word", "operand", "attribute", "call", "word", "sign"],
)
def test_word_is_replaced_where_the_suggestion_would_not_fit_before_it(marked: str, text: str, line: str) -> None:
    """In a known language, the grammar decides whether the next word is replaced."""
    assert merged(f"y = z = 1\n{marked}\n", text, "python") == line


def merged(marked: str, text: str, language_id: str) -> str:
    """Return the cursor's line with the suggestion inserted."""
    around = context(marked)
    inserted, replaces = merge_with_rest(text, around, language_of("", language_id))
    assert 0 <= replaces <= len(around.line_suffix)
    return around.line_prefix + inserted + around.line_suffix[replaces:]


def test_suggestion_of_several_lines_replaces_nothing() -> None:
    """Only a suggestion of one line replaces text."""
    assert merge_with_rest("a\nb", gather("f(x", 2), PLAIN_TEXT) == ("a\nb", 0)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", UNITS)
def test_rest_of_a_line_of_any_length_is_merged_with_in_a_bounded_time(name: str) -> None:
    """Two ends of thousands of signs are not compared sign by sign."""
    line = hostile(name, 20_000).replace("\n", " ")
    text, replaced = merge_with_rest(line[:2_000], gather(f"x{line}", 1), language_of("a.py"))
    assert len(text) <= 2_000
    assert replaced <= 20_000
