"""Connections that are bounded in time and number, so that no process without the key can keep others out.

uvicorn limits how long a connection may be idle between two requests. It waits for the first one, and for the end of a
head that has begun, without limit.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from midfill.api.guard import HAS_KEY

HEAD_SECONDS = 5.0
"""How long a client may take for the head of its next request. A response that it does not let end counts, too."""
MAX_STRANGERS = 64
"""Maximum number of connections whose latest request, if any, did not have the key."""


class BoundedProtocol(H11Protocol):
    """One connection of a client."""

    _timer: asyncio.TimerHandle | None = None
    _came = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request. If there are too many strangers, the oldest one has to leave."""
        super().connection_made(transport)
        self._came = self.loop.time()
        self._wait_for_head()
        strangers = [each for each in self.connections if isinstance(each, BoundedProtocol) and each._is_stranger]
        if len(strangers) > MAX_STRANGERS:
            oldest = min(strangers, key=lambda each: each._came)
            self.connections.discard(oldest)  # now, for the next one may come before its transport has closed
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request, which may be there already."""
        self._wait_for_head()
        super().on_response_complete()

    @property
    def _is_stranger(self) -> bool:
        latest: dict[str, Any] | None = self.scope and self.scope.get("state")
        return not (latest and latest.get(HAS_KEY))

    def _wait_for_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(HEAD_SECONDS, self._end_without_request)

    def _end_without_request(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
