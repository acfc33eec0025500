"""A connection between a server and its engine process, for the messages of :mod:`midfill.engine.messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midfill.engine.messages import MAX_BYTES, BadMessage, Message, decode, encode
from midfill.sharing.connection import ByteConnection, ConnectionLost

if TYPE_CHECKING:
    from midfill.sharing.connection import RawConnection


class Connection(ByteConnection):
    """Sends from any thread, and receives in one."""

    def __init__(self, raw: RawConnection, key: bytes = b"") -> None:
        """Use ``raw``, on which both sides have shown ``key``."""
        super().__init__(raw)
        self.key = key
        self.process = 0
        """The process id of the engine, once it is known."""

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ConnectionLost: the other side has ended.
        """
        self.send_bytes(encode(message))

    def receive(self, seconds: float | None = None) -> Message:
        """Wait for a message; None waits without limit.

        Raises:
            Silence: the other side sent nothing in ``seconds``.
            ConnectionLost: the other side has ended, or sent something else.
        """
        try:
            return decode(self.receive_bytes(MAX_BYTES, seconds))
        except BadMessage as error:
            raise ConnectionLost from error
