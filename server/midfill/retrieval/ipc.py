"""Messages between the server and the index's process: JSON, over pipes or over a connection.

In a pipe each one is preceded by its length.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

from midfill.sharing.connection import ByteConnection, ConnectionLost

_LENGTH = struct.Struct("<I")

_MAX_BYTES = 100_000_000
"""Maximum size of a message over a connection. The largest one has a document."""
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


class MessageConnection(ByteConnection):
    """A connection to the index's process. Sends from any thread, and receives in one."""

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ConnectionLost: the other side has ended.
        """
        self.send_bytes(json.dumps(message).encode())

    def receive(self, seconds: float | None = None) -> Message:
        """Wait for a message; None waits without limit.

        Raises:
            Silence: the other side sent nothing in ``seconds``.
            ConnectionLost: the other side has ended, or sent something else.
        """
        try:
            message = json.loads(self.receive_bytes(_MAX_BYTES, seconds))
        except (ValueError, RecursionError) as error:
            raise ConnectionLost from error
        if not isinstance(message, dict):
            raise ConnectionLost
        return message
