"""Requests and completions are plain values."""

from __future__ import annotations

import dataclasses

import pytest

from midfill.completion.types import Completion, Request


@pytest.mark.parametrize("value", [Request(text="a", offset=1), Completion(text="", start=1, end=1)], ids=type)
def test_value_cannot_change(value: Request | Completion) -> None:
    """Requests and completions are immutable, so that several threads may use them."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.text = "b"  # type: ignore[misc]


def test_completions_do_not_share_their_times() -> None:
    """Each completion has a dictionary of its own."""
    first, second = (Completion(text="", start=0, end=0) for _ in range(2))
    first.milliseconds["decode"] = 1.0
    assert second.milliseconds == {}


def test_request_needs_only_a_text_and_an_offset() -> None:
    """All other fields have defaults."""
    request = Request(text="a", offset=1)
    assert (request.max_lines, request.max_tokens, request.path, request.language) == (None, None, "", "")
