"""Requests to one server, for threads that wait: each can be cancelled at any moment, which closes its connection.

All requests run on an event loop in a thread of its own. A thread that waits in a system call could not be interrupted.
"""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, Protocol

from midfill.common.cancel import CancelFlag
from midfill.remote.event_stream import EventStream
from midfill.remote.events import EventReader, NotEvents, parse_object
from midfill.remote.failure import Failed, late

_SPARE_BYTES, _BYTES_FOR_TOKEN, _PROMPTS = 65_536, 8_192, 4
"""Maximum size of a stream: for what is around it, for each token, and how often it may repeat the request."""
_MAX_ANSWER = 64_000_000
"""Maximum size of an answer that is no stream, in bytes."""


class Client(Protocol):
    """Sends requests: :class:`midfill.remote.http_client.HttpClient`."""

    def parts(self, method: str, path: str, sent: bytes | None) -> AsyncGenerator[bytes]:
        """Yield the bytes of an answer, as they are sent; raise :class:`Failed` if there is none."""

    async def close(self) -> None:
        """Close all connections."""


class Connection:
    """The connections to one server; for any threads."""

    def __init__(self, client: Client) -> None:
        """Send requests with ``client``, which is closed with this."""
        self._client = client
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(self._loop, client), name="midfill-remote", daemon=True).start()
        self.close = weakref.finalize(self, _stop, self._loop)
        """Ends all requests and closes all connections. It is called when nobody has this object any more."""

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Do ``work`` in the thread of the requests."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def answer(self, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Return the JSON object that the server answers, within ``seconds``.

        Raises:
            Failed: there is none.
        """
        try:
            return await asyncio.wait_for(_answer(self._client, method, path, body), seconds)
        except asyncio.TimeoutError:
            raise Failed(late(seconds), is_slow=True) from None

    def read(self, path: str, seconds: float) -> bytes:
        """Return the bytes that the server answers to a GET, within ``seconds``, for a thread that waits.

        Raises:
            Failed: there are none.
        """
        asked = self.submit(asyncio.wait_for(_received(self._client, "GET", path, None), seconds))
        try:
            received: bytes = asked.result()
        except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
            raise Failed(late(seconds), is_slow=True) from None
        return received

    def ask(self, path: str, body: dict[str, Any], seconds: float, cancel: CancelFlag) -> dict[str, Any]:
        """Return what :meth:`answer` returns to a POST, for a thread that waits.

        Raises:
            Cancelled: ``cancel`` was set.
            Failed: as :meth:`answer`.
        """
        asked = self.submit(self.answer("POST", path, body, seconds))
        with cancel.interrupting(lambda: _cancel(asked)):
            try:
                answer: dict[str, Any] = asked.result()
            except BaseException:
                cancel.check()
                raise
            return answer

    def open(self, path: str, body: dict[str, Any], max_tokens: int) -> EventStream:
        """Ask for a stream of events by a POST. Its bytes are limited, because it has at most ``max_tokens`` tokens."""
        sent = json.dumps(body, separators=(",", ":")).encode()
        reader = EventReader(_SPARE_BYTES + _PROMPTS * len(sent) + _BYTES_FOR_TOKEN * max_tokens)
        return EventStream(self._loop, self._client.parts("POST", path, sent), reader)


def _cancel(work: Future[Any]) -> None:
    work.cancel()


async def _answer(client: Client, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    sent = None if body is None else json.dumps(body, separators=(",", ":")).encode()
    try:
        return parse_object(await _received(client, method, path, sent))
    except NotEvents as error:
        raise Failed(str(error)) from None


async def _received(client: Client, method: str, path: str, sent: bytes | None) -> bytes:
    received = bytearray()
    async with aclosing(client.parts(method, path, sent)) as parts:
        async for part in parts:
            received += part
            if len(received) > _MAX_ANSWER:
                raise Failed("it sends more than was asked for")
    return bytes(received)


def _run(loop: asyncio.AbstractEventLoop, client: Client) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(client.close())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
