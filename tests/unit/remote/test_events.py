"""Server-sent events: whole whatever the pieces are, and bounded whatever the server sends."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.remote.events import EventReader, NotEvents

EVENTS = [{"text": "a"}, {"text": "naïve \u2028 {}"}, {"deep": [{"x": None}]}]
STREAM = "".join(
    f"{comment}data: {json.dumps(event, ensure_ascii=False)}{end}{end}"
    for comment, event, end in zip(
        ("", ": ping\n\n", "event: message\nid: 7\n"), EVENTS, ("\n", "\r\n", "\r"), strict=True
    )
).encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    """The network cuts a stream anywhere, also within a character and a line end."""
    reader = EventReader(10_000)
    places = [0, *sorted(cuts), len(STREAM)]
    found = [event for a, b in pairwise(places) for event in reader.feed(STREAM[a:b])]
    assert [*found, *reader.feed(b"\n")] == EVENTS


def test_end_is_recognised() -> None:
    """What follows it is not read."""
    reader = EventReader(1000)
    assert reader.feed(b'data: {"a": 1}\n\ndata: [DONE]\n\ndata: nonsense\n\n') == [{"a": 1}]
    assert reader.is_done


def test_data_of_several_lines_is_joined() -> None:
    """As the standard has it."""
    assert EventReader(1000).feed(b'data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


@pytest.mark.parametrize("sent", [b"x" * 101, b"data: {}\n\n" * 11, b": ping\n" * 20, b"data: " + b"[" * 95])
def test_no_more_is_read_than_was_asked_for(sent: bytes) -> None:
    """Whether it is one line or many, of data or of comments."""
    with pytest.raises(NotEvents, match="it sends more than was asked for"):
        EventReader(100).feed(sent)


@pytest.mark.parametrize(
    "sent", [b"data: [1]\n\n", b"data: 1\n\n", b"data: {\n\n", b'data: {"a": NaN}\n\n', b"data: \xff\n\n"]
)
def test_events_are_json_objects(sent: bytes) -> None:
    """All others are refused."""
    with pytest.raises(NotEvents, match="its answer is n"):
        EventReader(1000).feed(sent)


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_refused(sent: bytes) -> None:
    """Nothing else is raised."""
    with suppress(NotEvents):
        assert all(isinstance(event, dict) for event in EventReader(1000).feed(sent))
