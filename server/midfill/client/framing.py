"""The framing of the language server protocol: a header with the length, then the body of a message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BufferedReader
from typing import IO, Any, cast

from midfill.common.message_splitter import MessageSplitter

Json = dict[str, Any]

_PIECE_BYTES = 1 << 16


def framed(body: bytes) -> bytes:
    """Return a message's body with its header before it."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_messages(stream: IO[bytes]) -> Iterator[Json]:
    """Yield the messages of a buffered stream until it ends; what is not a message is left out."""
    splitter = MessageSplitter()
    while piece := cast("BufferedReader", stream).read1(_PIECE_BYTES):
        for body in splitter.feed(piece):
            try:
                message = json.loads(body or b"")
            except (ValueError, RecursionError):
                continue
            if isinstance(message, dict):
                yield message
