"""Who may ask: programs of this machine that have the key. It stands before everything else of the server."""

from __future__ import annotations

import hmac
import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from midfill.api.errors import RequestError

HAS_KEY = "midfill.has_key"
"""The entry of a request's ``state`` that says that it has the key."""
_OPEN_PATHS = frozenset({"/health", "/v1/health"})
"""What needs no key, as in llama-server and vLLM. It tells only that the server runs."""


class Guard:
    """Refuses requests of web pages, requests for other hosts, and requests without the key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        """Let requests with ``key`` reach ``app``."""
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http":
            try:
                has_key = self._check(Headers(scope=scope), scope["path"])
            except RequestError as error:
                await error.to_response()(scope, receive, send)
                return
            scope.setdefault("state", {})[HAS_KEY] = has_key
        elif scope["type"] != "lifespan":  # websockets: nothing here speaks them
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers, path: str) -> bool:
        """Check a request's headers; return whether the key was needed, and is there.

        Raises:
            RequestError: it must not be answered.
        """
        # A page on the web can make a browser send requests to this machine. Its name may even lead here.
        if "origin" in headers:
            raise RequestError(403, "Requests of web pages are refused.")
        if len(headers.getlist("host")) != 1 or not is_loopback_name(headers["host"]):
            raise RequestError(403, "The Host header must name this machine: 127.0.0.1, [::1] or localhost.")
        if path in _OPEN_PATHS:
            return False
        kind, _, given = headers.get("authorization", "").partition(" ")
        # In bytes: compare_digest refuses other characters than ASCII in a str
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._key):
            raise RequestError(401, "The key is missing or wrong: send it as `Authorization: Bearer KEY`.")
        return True


def is_loopback_name(host: str) -> bool:
    """Return whether a Host header's value names this machine, with or without a port."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return False
    else:
        name = host.partition(":")[0]
    return name.lower() == "localhost" or is_loopback_address(name)


def is_loopback_address(address: str) -> bool:
    """Return whether ``address`` is one that only this machine reaches."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
