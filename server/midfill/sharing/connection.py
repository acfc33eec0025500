"""A connection between a server and a shared process: whole messages, over a Unix socket, after both showed the key.

The transport is :mod:`multiprocessing.connection`, of which only the functions for bytes are used.
"""

from __future__ import annotations

import threading
from multiprocessing import AuthenticationError
from multiprocessing import connection as transport
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    RawConnection: TypeAlias = transport.Connection[Any, Any]  # it has no parameters at run time

FAMILY = "AF_UNIX"
_KEY_SECONDS = 10.0
"""Seconds that the other side has to begin to show its key."""


class ConnectionLost(Exception):
    """The other side has ended, or does not keep to the protocol."""


class Silence(ConnectionLost):
    """The other side has sent nothing in time."""


class ByteConnection:
    """Sends from any thread, and receives in one."""

    def __init__(self, raw: RawConnection) -> None:
        self._raw = raw
        self._sending = threading.Lock()

    def send_bytes(self, data: bytes) -> None:
        """Send a message.

        Raises:
            ConnectionLost: the other side has ended.
        """
        try:
            with self._sending:
                self._raw.send_bytes(data)
        except (OSError, ValueError) as error:
            raise ConnectionLost from error

    def receive_bytes(self, max_bytes: int, seconds: float | None = None) -> bytes:
        """Wait for a message of at most ``max_bytes``; None waits without limit.

        Raises:
            Silence: the other side sent nothing in ``seconds``.
            ConnectionLost: the other side has ended, or sent a larger message.
        """
        try:
            if seconds is not None and not self._raw.poll(seconds):
                raise Silence
            return self._raw.recv_bytes(max_bytes)
        except (OSError, EOFError) as error:
            raise ConnectionLost from error

    def close(self) -> None:
        """End the connection, when what is being sent is sent. The other side notices it when nobody receives here."""
        with self._sending:  # else the thread that sends would find its descriptor gone, or somebody else's
            self._raw.close()


def connect(address: str, key: bytes) -> RawConnection:
    """Connect to a process that listens at ``address``.

    Raises:
        ConnectionLost: nobody listens there, or it has another key.
    """
    try:
        raw = transport.Client(address, FAMILY)
    except OSError as error:
        raise ConnectionLost from error
    _check(raw, key, listens=False)
    return raw


def welcome(raw: RawConnection, key: bytes) -> None:
    """Let a client show the key.

    Raises:
        ConnectionLost: it has another key, or shows none. The connection is closed.
    """
    _check(raw, key, listens=True)


def _check(raw: RawConnection, key: bytes, *, listens: bool) -> None:
    """Let each side prove that it has the key, without sending it."""
    try:
        if listens:
            transport.deliver_challenge(raw, key)
        if not raw.poll(_KEY_SECONDS):
            raise ConnectionLost
        transport.answer_challenge(raw, key)
        if not listens:
            transport.deliver_challenge(raw, key)
    except (OSError, EOFError, AuthenticationError, AssertionError, ConnectionLost) as error:
        raw.close()
        raise ConnectionLost from error
