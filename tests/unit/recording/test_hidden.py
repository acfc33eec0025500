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


TYPED = {
    "a format": f'x = "{TOKEN}"\n',
    "a format of upper case": 'x = "' + "AK" + 'IAIOSFODNN7ABCDEFG"\n',
    "a format of lower case": "x = '" + "da" + "pi" + "0123456789abcdef" * 2 + "'\n",
    "a telling name": "db_password = 'tr0ub4dor3x9'\n",
    "a telling name in a shell": "export API_TOKEN=q8w7e6r5t4y3\n",
}
MOST = 5
"""Characters of a secret that may be typed before it is taken for one: "ghp_" is where a format begins."""


def shown_of(secret: str, line: str) -> int:
    """Return how many characters of a secret the engine gets to see while a line is typed key by key."""
    requests = [HiddenRequest.of(Request(text=line[:end], offset=end)) for end in range(1, len(line))]
    texts = [each.request.text for each in requests if not each.in_secret]
    return max(
        length for length in range(len(secret) + 1) if length == 0 or any(secret[:length] in text for text in texts)
    )


@pytest.mark.parametrize("line", TYPED.values(), ids=TYPED.keys())
def test_secret_that_is_typed_is_not_seen(line: str) -> None:
    """It is not recorded key by key, up to the last one."""
    secret = line.strip().rpartition("=")[2].strip(" '\"")
    assert shown_of(secret, line) <= MOST


@pytest.mark.parametrize(
    "line", ["def add(left, right):", "return combine_totals(", 'print("hello', "import os", "x = 1", "# say what"]
)
def test_ordinary_code_is_no_beginning_of_a_secret(line: str) -> None:
    """A suggestion is wanted there."""
    assert not HiddenRequest.of(Request(text=line, offset=len(line))).in_secret
