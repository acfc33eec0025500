"""Requests to one server, for threads that wait: each can be cancelled at any moment, which closes its connection.

All requests run on an event loop in a thread of its own. A thread that waits in a system call could not be interrupted.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import aclosing
from typing import Any, Protocol

from midfill.common.cancel import CancelFlag
from midfill.remote.events import Event, EventReader, NotEvents, parse_object
from midfill.remote.failure import Failed

_SPARE_BYTES, _BYTES_FOR_TOKEN, _PROMPTS = 65_536, 8_192, 4
"""Maximum size of a stream: for what is around it, for each token, and how often it may repeat the request."""
_MAX_ANSWER = 64_000_000
"""Maximum size of an answer that is no stream, in bytes."""
_FAREWELL_SECONDS = 1.0
"""How long a server that has sent all tokens may take to end its answer. Then the connection serves again."""


class Client(Protocol):
    """Sends requests: :class:`midfill.remote.http_client.HttpClient`."""

    def parts(self, method: str, path: str, sent: bytes | None) -> AsyncGenerator[bytes]:
        """Yield the bytes of an answer, as they are sent; raise :class:`Failed` if there is none."""

    async def close(self) -> None:
        """Close all connections."""


class Patience:
    """How long the next token is waited for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Begin again, because a token has come."""
        self._until = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds; 0 if they are over."""
        return max(self._until - time.monotonic(), 0.0)


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
            raise Failed(_late(seconds), is_slow=True) from None

    def read(self, path: str, seconds: float) -> bytes:
        """Return the bytes that the server answers to a GET, within ``seconds``, for a thread that waits.

        Raises:
            Failed: there are none.
        """
        asked = self.submit(asyncio.wait_for(_received(self._client, "GET", path, None), seconds))
        try:
            received: bytes = asked.result()
        except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
            raise Failed(_late(seconds), is_slow=True) from None
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

    def stream(
        self, path: str, body: dict[str, Any], max_tokens: int, patience: Patience, cancel: CancelFlag
    ) -> Generator[Event]:
        """Yield the events that the server answers to a POST. Close the iterator to close the connection.

        Args:
            path: the path of the request.
            body: a JSON object.
            max_tokens: how many tokens the answer has at most, which says how long it may be.
            patience: how long the next event may take; its owner renews it.
            cancel: ends the wait.

        Raises:
            Cancelled: ``cancel`` was set.
            Failed: the server cannot be reached, refuses, is too slow, or sends what is no stream of events.
        """
        sent = json.dumps(body, separators=(",", ":")).encode()
        reader = EventReader(_SPARE_BYTES + _PROMPTS * len(sent) + _BYTES_FOR_TOKEN * max_tokens)
        inbox: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        task = self.submit(_pump(self._client, path, sent, reader, inbox.put))
        grace = 0.0
        try:
            with cancel.interrupting(lambda: inbox.put(None)):
                while True:
                    try:
                        received = inbox.get(timeout=patience.left)
                    except queue.Empty:
                        raise Failed(_late(patience.seconds), is_slow=True) from None
                    cancel.check()
                    if received is None:
                        return
                    if isinstance(received, BaseException):
                        raise received
                    grace = _FAREWELL_SECONDS if _is_last(received) else 0.0
                    yield received
        finally:
            self._end(task, grace)

    def _end(self, task: Future[Any], grace: float) -> None:
        if not task.done() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, grace, task.cancel)


def _cancel(work: Future[Any]) -> None:
    work.cancel()


def _is_last(event: Event) -> bool:
    """Whether an event says that no token follows, in either protocol."""
    choices = event.get("choices")
    finished = (
        isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("finish_reason")
    )
    return bool(finished) or event.get("stop") is True


def _late(seconds: float) -> str:
    return f"it did not answer within {seconds * 1000:,.0f} ms"


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


async def _pump(
    client: Client,
    path: str,
    sent: bytes,
    reader: EventReader,
    put: Callable[[Event | BaseException | None], None],
) -> None:
    """Give each event to ``put``, at last None; or what went wrong."""
    try:
        async with aclosing(client.parts("POST", path, sent)) as parts:
            async for part in parts:
                for event in reader.feed(part):
                    put(event)
        put(None)
    except NotEvents as error:
        put(Failed(str(error)))
    except Exception as error:  # whoever waits must learn of it
        put(error)


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
