"""Messages to a client that may have left."""

from __future__ import annotations

import os

from midfill.lsp.client_output import ClientOutput


def test_messages_arrive_at_once() -> None:
    """Nothing waits in a buffer."""
    reading, writing = os.pipe()
    with open(reading, "rb") as client, os.fdopen(writing, "wb") as stream:
        ClientOutput(stream).write(b"one")
        assert client.read1() == b"one"


def test_what_is_late_is_dropped() -> None:
    """An answer after `exit` is no failure."""
    reading, writing = os.pipe()
    with open(reading, "rb") as client:
        output = ClientOutput(os.fdopen(writing, "wb"))
        output.write(b"one")
        output.close()
        output.write(b"two")
        assert client.read() == b"one"


def test_client_that_has_left() -> None:
    """A broken pipe is met once, and is no failure."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "wb")
    output = ClientOutput(stream)
    output.write(b"one")
    output.write(b"two")
    assert stream.closed
