"""Messages between the server and the index's process: JSON, each with its length in front."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<I")

Message = dict[str, Any]


def write(stream: IO[bytes], message: Message) -> None:
    """Send a message; OSError or ValueError when nobody reads any more."""
    data = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """Wait for a message; None when there will be none any more."""
    try:
        head = stream.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        data = stream.read(length)
        message = json.loads(data) if len(data) == length else None
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None
