"""The text before and after the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.prompt.context import gather, line_ending
from unit.helpers import context

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@given(st.text(st.characters(exclude_characters="\r")), st.integers())
def test_document_with_plain_newlines_is_split_without_loss(text: str, offset: int) -> None:
    """Both sides together are the document, and they meet at the offset, clamped to the document."""
    around = gather(text, offset)
    assert around.prefix + around.suffix == text
    assert len(around.prefix) == around.offset == min(max(offset, 0), len(text))


@given(st.text(alphabet="ab\r\n"), st.integers(-2, 12))
def test_every_line_ending_becomes_a_newline(text: str, offset: int) -> None:
    """Both sides have newlines only, one for each line ending of the document."""
    around = gather(text, offset)
    assert "\r" not in around.prefix + around.suffix
    assert around.prefix + around.suffix == text.replace("\r\n", "\n").replace("\r", "\n")
    assert text[around.offset - 1 : around.offset + 1] != "\r\n"
    assert abs(around.offset - min(max(offset, 0), len(text))) <= 1


def test_cursor_within_a_line_ending_is_moved_before_it() -> None:
    """A suggestion must not be inserted between the two characters of a line ending."""
    around = gather("ab\r\ncd", 3)
    assert (around.prefix, around.suffix, around.offset) == ("ab", "\ncd", 2)


def test_offset_counts_characters_of_the_original_document() -> None:
    """A line ending of two characters before the cursor counts as two."""
    assert gather("a\r\nb", 3).offset == 3
    assert gather("a\r\nb", 3).prefix == "a\n"


@pytest.mark.parametrize(
    ("marked", "left", "right"),
    [("a\nb▮c\nd", "b", "c"), ("▮", "", ""), ("a\n▮\nb", "", ""), ("ab▮", "ab", ""), ("▮ab\n", "", "ab")],
)
def test_line_of_the_cursor(marked: str, left: str, right: str) -> None:
    """The two parts of the cursor's line do not include other lines."""
    around = context(marked)
    assert (around.line_prefix, around.line_suffix) == (left, right)


@pytest.mark.parametrize(
    ("marked", "one_line"),
    [
        ("x = ▮", False),
        ("x = ▮\nmore", False),
        ("f(▮)", False),
        ("f(a, [▮]) ;\t", False),
        ("f('▮')", False),
        ("<p>▮>", False),
        ("if ▮:", False),
        ("f(▮, b)", True),
        ("▮ + 1", True),
        ("if (▮) {", True),
        ("ret▮urn", True),
    ],
)
def test_code_right_of_the_cursor_wants_one_line(marked: str, one_line: bool) -> None:
    """Closing brackets and quotes, which editors insert by themselves, do not count as code."""
    assert context(marked).wants_one_line is one_line


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\nb\r\n", "\n"),
        ("a\r\nb\n", "\r\n"),
        ("\r\n", "\r\n"),
        ("\n\r\n", "\n"),
        ("a\rb", "\n"),
    ],
)
def test_line_ending_is_that_of_the_first_line(text: str, ending: str) -> None:
    """In a document with mixed line endings, the first one counts."""
    assert line_ending(text) == ending


def test_window_seldom_moves_while_the_user_types() -> None:
    """The start of the window moves once in thousands of characters, and all text near the cursor is in the window."""
    text = "".join(f"line {number:05}\n" for number in range(10_000))
    starts = set()
    for typed in range(0, 4_000, 100):
        here = 60_000 + typed
        around = gather(text[:60_000] + "x" * typed + text[60_000:], here, 1_000)
        assert around.offset == here
        assert text[59_000:60_000] + "x" * typed in around.prefix
        assert around.suffix.startswith(text[60_000:61_000])
        assert around.prefix.startswith(f"line {around.first_line:05}\n")
        starts.add(around.first_line)
    assert len(starts) <= 2


@pytest.mark.parametrize(("before", "inside"), [("", False), ("ghp_a1B2", True), (f"{SECRET}", False)])
def test_secrets_are_replaced_on_both_sides(before: str, inside: bool) -> None:
    """The offset is one of the original document, and a cursor within a secret is reported."""
    text = f'a = "{SECRET}"\nb = 1\n'
    offset = text.index("ghp_") + len(before)
    around = gather(text, offset)
    assert around.offset == offset
    assert around.in_secret == inside
    assert around.prefix + around.suffix == 'a = "<github-token>"\nb = 1\n'
    assert around.placeholders == {"<github-token>"}


@pytest.mark.parametrize("offset", [0, 1_000, 5_000, 100_000, 2_999_999, 3_000_000])
@pytest.mark.parametrize("ends", ["", "\n"])
def test_text_right_at_the_cursor_is_read_in_a_line_of_any_length(offset: int, ends: str) -> None:
    """The window is around the cursor, and its length does not depend on the line's. No cursor is "in a secret"."""
    text = f"{ends}{'word ' * 600_000}{ends}"
    around = gather(text, offset, 2_000)
    assert around.prefix.endswith(text[max(offset - 2_000, 0) : offset])
    assert around.suffix.startswith(text[offset : offset + 2_000])
    assert len(around.prefix) + len(around.suffix) < 60_000
    assert not around.in_secret


@pytest.mark.parametrize("places", range(10))
def test_secret_at_the_edge_of_the_window_is_not_shown_in_part(places: int) -> None:
    """Text outside the window is searched too. What is left of a secret at its edge would not be recognised."""
    line = "x = 1; " * 10_000
    edge = 40_960 + 4 * places
    text = f'{line[: edge - 20]}"{SECRET}"; {line}'
    around = gather(text, 55_000, 12_000)
    assert not [length for length in range(8, 40) if around.prefix.startswith(SECRET[-length:])]
    assert around.prefix.endswith(text[54_000:55_000])


def test_start_of_a_window_within_a_line_seldom_moves() -> None:
    """Otherwise each key would change the prompt from its start."""
    line = "x = 1; " * 10_000
    starts = {len(line[:here]) - len(gather(line, here, 2_000).prefix) for here in range(50_000, 52_000, 50)}
    assert len(starts) <= 2
