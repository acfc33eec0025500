"""Messages between a server and its engine process arrive as they were sent, and foreign bytes are refused."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.engine.messages import (
    BadMessage,
    Cancel,
    Ended,
    Figures,
    Generate,
    Join,
    Message,
    Open,
    Ping,
    Pong,
    Prefill,
    Ready,
    Refused,
    Score,
    Token,
    decode,
    encode,
)
from midfill.inference.sampling import Sampling

IDS = np.array([1, 2, 151_643], np.int32)
NONE = np.array([], np.int32)
MESSAGES: list[Message] = [
    Join(keep_seconds=60.0),
    Ready(threads=2, process=7),
    Refused(why="no", changed=False),
    Open(context=8, cache_bytes=1, max_draft_tokens=0, long_work=True),
    Generate(
        number=3,
        document="ä.py",
        max_tokens=4,
        stop_tokens=[0],
        required_prefix="\n",
        sampling=Sampling(seed=4, drawn=2),
        ahead=True,
        prompt=IDS,
        drafts=IDS[::-1],
    ),
    Generate(
        number=3, document="", max_tokens=4, stop_tokens=[], required_prefix="", sampling=None, ahead=False, prompt=IDS
    ),
    Prefill(number=1, document="a.py", prompt=IDS),
    Score(number=1, prompt=IDS, text=NONE),
    Cancel(number=1, urgent=True),
    Ping(),
    Pong(),
    Token(number=1, values=[5, -0.1, -1, -math.inf], figures=Figures(readings=[(3, 0.5, 0.25)])),
    Ended(number=1, figures=Figures(reused_tokens=2, prefill_seconds=0.1), failure="it failed"),
]


def values_of(message: Message) -> list[Any]:
    """Return the values of a message's fields; arrays as lists."""
    values = [getattr(message, field.name) for field in fields(message)]
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


def framed(header: object, body: bytes = b"") -> bytes:
    """Return the bytes of a message with any header."""
    data = json.dumps(header).encode()
    return struct.pack("<I", len(data)) + data + body


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_message_arrives_as_it_was_sent(message: Message) -> None:
    """Each kind of message, with empty arrays and without, and with a probability of zero."""
    arrived = decode(encode(message))
    assert type(arrived) is type(message)
    assert values_of(arrived) == values_of(message)


@given(st.floats(allow_nan=False))
def test_log_probabilities_are_exact(logprob: float) -> None:
    """Not a bit of a number is lost: the confidence gate must decide as it does in one process."""
    arrived = decode(encode(Token(number=1, values=[1, logprob], figures=Figures())))
    assert isinstance(arrived, Token)
    assert arrived.values[1] == logprob


@given(st.binary(max_size=64))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    """No bytes raise anything but the one error."""
    with pytest.raises(BadMessage):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        framed({"is": "Join", "has": {}, "sizes": {}}),
        framed({"is": "Join", "has": {"keep_seconds": "soon"}, "sizes": {}}),
        framed({"is": "Join", "has": {"keep_seconds": 1, "more": 1}, "sizes": {}}),
        framed({"is": "Evil", "has": {}, "sizes": {}}),
        framed({"is": "Prefill", "has": {"number": 1, "document": ""}, "sizes": {"prompt": 2}}, b"1234"),
        framed({"is": "Prefill", "has": {"number": 1, "document": ""}, "sizes": {"prompt": -1, "x": 2}}, b"1234"),
        framed({"is": "Prefill", "has": {"number": 1, "document": ""}, "sizes": {"other": 1}}, b"1234"),
        framed([1]),
        struct.pack("<I", 4_000_000_000) + b"{}",
        encode(MESSAGES[0])[:-1],
    ],
)
def test_lies_are_refused(data: bytes) -> None:
    """A missing or unknown field, an unknown kind, sizes that do not fit, a header that is cut off."""
    with pytest.raises(BadMessage):
        decode(data)
