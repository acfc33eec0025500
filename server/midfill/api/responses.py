"""From a request's bytes to the bytes of its answer: bounded bodies, and work that ends when its client leaves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from midfill.api.errors import RequestError
from midfill.api.fields import Fields, parse
from midfill.common.cancel import Cancelled
from midfill.common.errors import MidfillError
from midfill.common.logs import describe

T = TypeVar("T")

MAX_BODY_BYTES = 8_000_000
"""Maximum size of a request. The largest one has a document, and what an editor gathered of other files."""
_BODY_SECONDS = 30.0
"""How long a client may take to send a request."""
_log = logging.getLogger(__name__)


class ClientLeft(Exception):
    """The client has closed the connection; nobody wants the answer."""


async def read_fields(request: Request) -> Fields:
    """Return the fields of a request.

    Raises:
        RequestError: it is too large, too slow, or no JSON object.
        ClientLeft: the client left before its end.
    """
    try:
        return parse(await asyncio.wait_for(_body(request), _BODY_SECONDS))
    except asyncio.TimeoutError as error:
        raise RequestError(408, f"The request did not end within {_BODY_SECONDS:.0f} seconds.") from error
    except ClientDisconnect as error:
        raise ClientLeft from error


async def unless_left(request: Request, work: Awaitable[T]) -> T:
    """Return what ``work`` returns; cancel it when the client leaves.

    Raises:
        ClientLeft: the client left.
    """
    task = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_disconnected(request.receive))
    try:
        await asyncio.wait([task, left], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientLeft
        return task.result()
    finally:
        for each in (task, left):
            each.cancel()
        with suppress(asyncio.CancelledError):
            await left


class EventStream(StreamingResponse):
    """Server-sent events with JSON. What makes them is closed when the client leaves."""

    def __init__(self, events: AsyncGenerator[dict[str, Any], None], last: str = "") -> None:
        """Send ``events``, then the text ``last`` as one more; "" for none."""
        self._events = _encoded(events, last)
        super().__init__(self._events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


def failure_of(error: BaseException) -> RequestError:
    """Return what the client is told of an error: of a bug, no more than that there is one."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, MidfillError):
        return RequestError(503, str(error))
    if isinstance(error, Cancelled):
        return RequestError(503, "The server is ending.")
    _log.error("A request failed: %s", describe(error))
    return RequestError(500, "Midfill failed to answer this request; its log has more.")


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise RequestError(413, f"The request has more than {MAX_BODY_BYTES:,} bytes.")
        parts.append(part)
    return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _encoded(events: AsyncGenerator[dict[str, Any], None], last: str) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        try:
            async for event in events:
                yield _line(json.dumps(event))
        except Exception as error:  # the status was sent already, so the error is an event
            yield _line(json.dumps(failure_of(error).to_json()))
        if last:
            yield _line(last)


def _line(data: str) -> str:
    return f"data: {data}\n\n"
