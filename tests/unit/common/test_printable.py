"""A stranger's name in a line that is printed."""

from __future__ import annotations

from midfill.common.printable import printable


def test_only_what_is_not_printed_is_escaped() -> None:
    """The line stays one line, and a terminal takes it for text."""
    assert printable("größer/日本 [a].py") == "größer/日本 [a].py"
    assert printable("ä\n\x1b[2J\x9b\u202e\ud800") == "ä\\n\\x1b[2J\\x9b\\u202e\\ud800"
