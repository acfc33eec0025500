"""The drops: when a suggestion is not worth showing."""

from __future__ import annotations

import pytest

from midfill.filters.drops import reason_to_drop
from unit.helpers import context


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
    assert reason_to_drop(text, context(marked)) == reason
