"""Requests without secrets, and the way back to the document's own offsets."""

from __future__ import annotations

import pytest

from midfill.completion.types import Completion, Request
from midfill.recording.hidden import HiddenRequest

TOKEN = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
TEXT = f'a = 1\nfirst = "{TOKEN}"\nb = 2\nsecond = "{TOKEN}"\nc = 3\n'


def outside_secrets() -> list[int]:
    """Return all offsets that are not within a secret."""
    starts = [TEXT.index(TOKEN), TEXT.rindex(TOKEN)]
    return [at for at in range(len(TEXT) + 1) if not any(start < at < start + len(TOKEN) for start in starts)]


def test_secret_is_not_in_the_request() -> None:
    """The engine gets the kind of the secret, and the cursor at the same character."""
    hidden = HiddenRequest.of(Request(text=TEXT, offset=TEXT.index("c = 3")))
    assert TOKEN not in hidden.request.text
    assert hidden.request.text.count("<github-token>") == 2
    assert hidden.request.text[hidden.request.offset :] == "c = 3\n"
    assert not hidden.in_secret


def test_every_offset_comes_back() -> None:
    """The answer to a request at any place is for that place in the document."""
    hidden = [HiddenRequest.of(Request(text=TEXT, offset=at)) for at in outside_secrets()]
    answers = [each.shown(Completion(text="x", start=each.request.offset, end=each.request.offset)) for each in hidden]
    assert [(answer.start, answer.end) for answer in answers] == [(at, at) for at in outside_secrets()]


@pytest.mark.parametrize("into", [1, len(TOKEN) - 1])
def test_cursor_in_a_secret_is_noticed(into: int) -> None:
    """Between the first and the last character of a secret there is nothing to suggest."""
    assert HiddenRequest.of(Request(text=TEXT, offset=TEXT.index(TOKEN) + into)).in_secret


def test_a_place_within_a_placeholder_is_the_end_of_its_secret() -> None:
    """No offset of an answer cuts a secret in two."""
    hidden = HiddenRequest.of(Request(text=TEXT, offset=0))
    start = hidden.request.text.index("<github-token>")
    answer = hidden.shown(Completion(text="x", start=start, end=start + 3))
    assert TEXT[answer.start : answer.end] == TOKEN
