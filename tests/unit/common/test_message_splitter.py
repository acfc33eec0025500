"""Messages in a stream of bytes: each is found, whatever stands before it and however the bytes arrive."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.common.message_splitter import MAX_BODY_BYTES, MessageSplitter

BODY = b'{"id": 1, "text": "Content-Length: 9\\n"}'
NEXT = b'{"id": 2}'
LENGTH = b"Content-Length: %d" % len(BODY)
GOOD = b"Content-Length: %d\r\n\r\n%s" % (len(NEXT), NEXT)

HEADERS = {
    "plain": LENGTH + b"\r\n\r\n",
    "lower case": LENGTH.lower() + b"\r\n\r\n",
    "upper case": LENGTH.upper() + b"\r\n\r\n",
    "no blank": LENGTH.replace(b" ", b"") + b"\r\n\r\n",
    "blanks": LENGTH.replace(b": ", b" :\t ") + b" \r\n\r\n",
    "LF": LENGTH + b"\n\n",
    "CRLF, then LF": LENGTH + b"\r\n\n",
    "no empty line": LENGTH + b"\r\n",
    "type before": b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n" + LENGTH + b"\r\n\r\n",
    "type after": LENGTH + b"\r\ncontent-type: text\r\n\r\n",
    "unknown names": LENGTH + b"\r\nHost: here\r\nX:\r\n\r\n",
    "a line that is no field": LENGTH + b"\r\nhere\r\n\r\n",
    "twice": LENGTH + b"\r\n" + LENGTH + b"\r\n\r\n",
    "two lengths, the right one last": b"Content-Length: 3\r\n" + LENGTH + b"\r\n\r\n",
    "empty lines before": b"\r\n \n" + LENGTH + b"\r\n\r\n",
    "leading zeros": LENGTH.replace(b": ", b": 000") + b"\r\n\r\n",
}
"""Headers that say how long ``BODY`` is, in their ways."""

FAULTS = {
    "stray byte": b"\0",
    "stray line": b"hello\r\n",
    "HTTP": b"POST / HTTP/1.1\r\nHost: here\r\n\r\n",
    "no length": b"Content-Type: text\r\n\r\n" + BODY,
    "no header": BODY,
    "negative": b"Content-Length: -5\r\n\r\n" + BODY,
    "no number": b"Content-Length: many\r\n\r\n" + BODY,
    "empty": b"Content-Length:\r\n\r\n" + BODY,
    "hexadecimal": b"Content-Length: 0x10\r\n\r\n" + BODY,
    "more than memory": b"Content-Length: 99999999999999999999\r\n\r\n" + BODY,
    "more digits than a number has": b"Content-Length: " + b"9" * 9_000 + b"\r\n\r\n" + BODY,
    "one more than the maximum": b"Content-Length: %d\r\n\r\n%s" % (MAX_BODY_BYTES + 1, BODY),
    "too short": b"Content-Length: 5\r\n\r\n" + BODY,
    "half a header": b"Content-Len",
    "lines without end": b"x" * 20_000,
    "long field": b"Content-Type: " + b"x" * 10_000 + b"\r\n\r\n",
}
"""What costs at most the message that it stands in."""


def bodies(*pieces: bytes) -> list[bytes | None]:
    """Split a stream that comes in pieces."""
    splitter = MessageSplitter()
    return [body for piece in pieces for body in splitter.feed(piece)]


def by_bytes(stream: bytes) -> list[bytes]:
    """Cut a stream into single bytes."""
    return [stream[at : at + 1] for at in range(len(stream))]


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_headers(header: bytes) -> None:
    """Each form of a header is understood, in one piece and byte by byte."""
    stream = (header + BODY) * 2 + GOOD
    assert bodies(stream) == [BODY, BODY, NEXT]
    assert bodies(*by_bytes(stream)) == [BODY, BODY, NEXT]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_next_message_is_found(fault: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """After any fault, the next message is whole; the fault is told once, and logged without its bytes."""
    for found in (bodies(GOOD + fault + GOOD), bodies(*by_bytes(GOOD + fault + GOOD))):
        assert (found[0], found[-1]) == (NEXT, NEXT)
        assert found.count(None) == 1
    assert len(caplog.records) == 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert not [record for record in caplog.records if record.args]


@pytest.mark.parametrize("surplus", range(1, 60))
def test_length_too_large(surplus: int) -> None:
    """All messages are whole, wherever in the next ones the announced body would end."""
    stream = b"Content-Length: %d\r\n\r\n%s" % (len(BODY) + surplus, BODY) + GOOD * 3
    assert bodies(stream) == [BODY, NEXT, NEXT, NEXT]
    assert bodies(*by_bytes(stream)) == bodies(stream)


@pytest.mark.parametrize("missing", range(len(BODY) + 1))
def test_cut_message(missing: int) -> None:
    """The messages after it are whole, wherever it was cut."""
    stream = b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY[: len(BODY) - missing]) + GOOD * 2
    assert bodies(stream)[-2:] == [NEXT, NEXT]
    assert bodies(*by_bytes(stream)) == bodies(stream)


def test_message_shorter_than_announced_is_whole() -> None:
    """It ends where the next header begins, whatever length its own header has."""
    typed = b"Content-Type: text\r\n" + GOOD
    for announced in (len(BODY) + 60, 10_000, MAX_BODY_BYTES):
        stream = b"Content-Length: %d\r\n\r\n%s" % (announced, BODY)
        assert bodies(stream + GOOD + typed) == [BODY, NEXT, NEXT]
        assert bodies(*by_bytes(stream + typed + GOOD)) == [BODY, NEXT, NEXT]


def test_nothing_is_kept_of_what_is_left_out() -> None:
    """Bytes without a header do not gather."""
    splitter = MessageSplitter()
    for piece in (b"x" * 65_536, b"\r\n" * 32_768, b"Content-Length: \r\n" * 4_000):
        assert len([body for _ in range(20) for body in splitter.feed(piece)]) <= 1
        assert len(splitter._bytes) + len(splitter._before) < 2_048
    assert splitter.feed(GOOD) == [NEXT]


def test_lines_are_part_of_a_body() -> None:
    """JSON may be spread over lines, and a text may hold what looks like a header."""
    text = json.dumps({"text": "\r\nContent-Length: 5\r\n\r\n", "more": [1] * 500}, indent=2).encode()
    stream = b"Content-Length: %d\r\n\r\n%s" % (len(text), text) + GOOD
    assert bodies(stream) == bodies(*by_bytes(stream)) == [text, NEXT]


def test_end_within_a_message(caplog: pytest.LogCaptureFixture) -> None:
    """A cut message is logged; an end after a whole one is not."""
    splitter = MessageSplitter()
    splitter.feed(GOOD + b"\r\n")
    splitter.end()
    assert caplog.records == []
    splitter.feed(GOOD[:-1])
    splitter.end()
    assert [record.getMessage() for record in caplog.records] == ["The input ended within a message"]


PARTS = [*HEADERS.values(), *FAULTS.values(), BODY, NEXT, GOOD, b"\r", b"\n", b"{", b"Content-Type: a\r\n", b" "]


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.integers(0, 2_000), max_size=8))
def test_pieces_do_not_matter(parts: Sequence[bytes], cuts: Sequence[int]) -> None:
    """Any bytes give the same messages, however they are cut; and after them a message is found."""
    stream = b"".join(parts)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert bodies(*pieces) == bodies(stream)
    assert NEXT in bodies(stream, GOOD, GOOD)[-2:]
