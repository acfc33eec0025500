"""The client's bytes, read ahead of the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from midfill.client.framing import framed
from midfill.lsp import client_input
from midfill.lsp.client_input import ClientInput
from waiting import wait_on_loop_until, wait_until

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Return a pipe, the end to read from first."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


async def all_of(source: ClientInput) -> list[bytes | None]:
    """Return all messages until the end."""
    return [body async for body in source.messages()]


async def test_end_is_told_while_the_loop_is_busy(pipe: Pipe) -> None:
    """The messages before it are still there afterwards; it is told once."""
    told: list[str] = []
    source = ClientInput(pipe[0], lambda: told.append("end"))
    os.write(pipe[1], framed(b"one") + b"?\n" + framed(b"two"))
    os.close(pipe[1])
    wait_until(lambda: told, "the end")  # this holds the loop up
    source.end()
    assert await all_of(source) == [b"one", None, b"two"]
    assert told == ["end"]


async def test_ended_from_outside(pipe: Pipe) -> None:
    """The pipe is open, but nobody is behind it any more."""
    told: list[str] = []
    source = ClientInput(pipe[0], lambda: told.append("end"))
    source.end()
    assert await all_of(source) == []
    assert told == ["end"]
    os.close(pipe[1])


async def test_no_more_is_read_than_has_room(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits while the event loop has enough to do; then all arrives."""
    monkeypatch.setattr(client_input, "_MAX_WAITING", 4)
    monkeypatch.setattr(client_input, "_PIECE_BYTES", len(framed(b"12345")))
    source = ClientInput(pipe[0], lambda: None)
    os.write(pipe[1], framed(b"12345") * 4)
    await wait_on_loop_until(lambda: source._arrived.qsize() == 1, "the first message")
    os.close(pipe[1])
    await asyncio.sleep(0)
    assert source._arrived.qsize() == 1
    assert await all_of(source) == [b"12345"] * 4
