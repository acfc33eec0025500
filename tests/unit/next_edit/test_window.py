"""The window: whole lines around a place, without secrets, and the way back to the document."""

from __future__ import annotations

import pytest

from midfill.next_edit.window import Window, window_at

TEXT = "".join(f"line {number}\n" for number in range(10))
KEY = "ghp_" + "0aB1" * 9


def window(text: str, line: int, above: int = 1, below: int = 1, context: int = 0) -> Window:
    """Return a window that there is."""
    found = window_at(text, line, above, below, context)
    assert found is not None
    return found


def test_lines_around_a_place() -> None:
    """No line end after the last one; lines further away are the context."""
    found = window(TEXT, 5, context=2)
    assert (found.first_line, found.end_line) == (4, 7)
    assert found.text == "line 4\nline 5\nline 6"
    assert (found.above, found.below) == ("line 2\nline 3\n", "\nline 7\nline 8")


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (TEXT, 0, "line 0\nline 1"),
        (TEXT, 9, "line 8\nline 9\n"),
        (TEXT, 10, "line 9\n"),
        (TEXT, 99, "line 9\n"),
        ("a", 0, "a"),
        ("", 0, ""),
    ],
)
def test_window_at_the_edge_of_the_document(text: str, line: int, expected: str) -> None:
    """It has the lines that there are; a place beyond the end is in the last line."""
    assert window(text, line).text == expected


@pytest.mark.parametrize("line", range(11))
def test_offsets_lead_back_to_the_document(line: int) -> None:
    """The window's characters are the document's."""
    found = window(TEXT, line)
    start, end = found.to_document(0), found.to_document(len(found.text))
    assert TEXT[start:end] == found.text
    assert found.from_document(start) == 0


def test_secrets_are_replaced_and_offsets_still_lead_back() -> None:
    """What follows a secret is found in the document, and the secret itself is not to be touched."""
    text = f'first = 1\ntoken = "{KEY}"\nlast = 2\n'
    found = window(text, 1)
    assert found.text == 'first = 1\ntoken = "<github-token>"\nlast = 2'
    at = found.text.index("last")
    assert text[found.to_document(at) : found.to_document(at + 4)] == "last"
    secret = found.text.index("<github-token>")
    assert found.touches_secret(secret + 3, secret + 4)
    assert found.touches_secret(secret + 3, secret + 3)
    assert not found.touches_secret(secret, secret)
    assert not found.touches_secret(at, at + 4)


def test_a_secret_that_begins_above_is_recognised() -> None:
    """A private key of many lines reaches into the window, whose lines do not show what they are."""
    key = "\n".join(["-----BEGIN " + "PRIVATE KEY-----", *["A1b2" * 16] * 40, "-----END " + "PRIVATE KEY-----"])
    assert "A1b2" not in window(f"{key}\nx = 1\n", 20, 2, 2).text


def test_very_long_lines_are_no_window() -> None:
    """No person edits them."""
    assert window_at("x" * 100_000, 0, 2, 2) is None


@pytest.mark.timeout(60)
def test_context_of_long_lines_is_bounded() -> None:
    """Lines far longer than code do not become part of a prompt whole."""
    found = window("y" * 10_000_000 + "\n" + TEXT, 2, context=50)
    assert len(found.above) <= 16_100
