"""The framing of the language server protocol: a header with the length, then the body of a message."""

from __future__ import annotations

import json
from typing import IO, Any

Json = dict[str, Any]


def framed(body: bytes) -> bytes:
    """Return a message's body with its header before it."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_message(stream: IO[bytes]) -> Json | None:
    """Read one message; return None at the end of the stream."""
    length = 0
    while (header := stream.readline()) not in (b"", b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length) if header else b""
    return json.loads(body) if body else None
