"""The server's messages to its client, which may leave at any time."""

from __future__ import annotations

import contextlib
from typing import BinaryIO


class ClientOutput:
    """Writes messages while the client is there; then they are dropped, because nobody reads them.

    The end of the input ends the server. A request that is answered meanwhile is no failure.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Write the bytes of one message."""
        if not self._is_open:
            return
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError:  # the client's end of the pipe is closed
            self.close()

    def close(self) -> None:
        """Write nothing any more, nor what a broken pipe did not take."""
        self._is_open = False
        with contextlib.suppress(OSError):
            self._stream.close()
