"""A connection between a server and its engine process: whole messages, over a Unix socket, after both showed the key.

The transport is :mod:`multiprocessing.connection`, of which only the functions for bytes are used.
"""

from __future__ import annotations

import threading
from multiprocessing import AuthenticationError
from multiprocessing import connection as transport
from typing import TYPE_CHECKING, Any, TypeAlias

from midfill.engine.messages import MAX_BYTES, BadMessage, Message, decode, encode

if TYPE_CHECKING:
    RawConnection: TypeAlias = transport.Connection[Any, Any]  # it has no parameters at run time

FAMILY = "AF_UNIX"
_KEY_SECONDS = 10.0
"""Seconds that the other side has to begin to show its key."""


class ConnectionLost(Exception):
    """The other side has ended, or does not keep to the protocol."""


class Silence(ConnectionLost):
    """The other side has sent nothing in time."""


class Connection:
    """Sends from any thread, and receives in one."""

    def __init__(self, raw: RawConnection) -> None:
        self._raw = raw
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ConnectionLost: the other side has ended.
        """
        data = encode(message)
        try:
            with self._sending:
                self._raw.send_bytes(data)
        except (OSError, ValueError) as error:
            raise ConnectionLost from error

    def receive(self, seconds: float | None = None) -> Message:
        """Wait for a message; None waits without limit.

        Raises:
            Silence: the other side sent nothing in ``seconds``.
            ConnectionLost: the other side has ended, or sent something else.
        """
        try:
            if seconds is not None and not self._raw.poll(seconds):
                raise Silence
            return decode(self._raw.recv_bytes(MAX_BYTES))
        except (OSError, EOFError, BadMessage) as error:
            raise ConnectionLost from error

    def close(self) -> None:
        """End the connection."""
        self._raw.close()


def connect(address: str, key: bytes) -> Connection:
    """Connect to an engine that listens at ``address``.

    Raises:
        ConnectionLost: nobody listens there, or it has another key.
    """
    try:
        raw = transport.Client(address, FAMILY)
    except OSError as error:
        raise ConnectionLost from error
    return _checked(raw, key, is_engine=False)


def welcome(raw: RawConnection, key: bytes) -> Connection:
    """Return the connection of a client that has come, when it has shown the key.

    Raises:
        ConnectionLost: it has another key, or shows none.
    """
    return _checked(raw, key, is_engine=True)


def _checked(raw: RawConnection, key: bytes, *, is_engine: bool) -> Connection:
    """Let each side prove that it has the key, without sending it."""
    try:
        if is_engine:
            transport.deliver_challenge(raw, key)
        if not raw.poll(_KEY_SECONDS):
            raise ConnectionLost
        transport.answer_challenge(raw, key)
        if not is_engine:
            transport.deliver_challenge(raw, key)
    except (OSError, EOFError, AuthenticationError, AssertionError, ConnectionLost) as error:
        raw.close()
        raise ConnectionLost from error
    return Connection(raw)
