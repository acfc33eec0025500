"""Messages between the server and the index's process: JSON, each preceded by its length."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<I")

Message = dict[str, Any]


def write(stream: IO[bytes], message: Message) -> None:
    """Send a message.

    Raises:
        OSError, ValueError: the other process has closed the pipe.
    """
    data = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """Wait for a message; None when the other process has closed the pipe."""
    try:
        header = stream.read(_LENGTH.size)
        if len(header) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(header)
        data = stream.read(length)
        message = json.loads(data) if len(data) == length else None
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None
