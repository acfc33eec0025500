"""The one place of Midfill's server that opens a network socket: on loopback, and only for `midfill api`."""

from __future__ import annotations

import socket

from midfill.api.guard import is_loopback_address
from midfill.common.errors import UsageError
from midfill.common.os_errors import explain


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at ``host`` and ``port``; port 0 takes a free one.

    Raises:
        UsageError: ``host`` is not loopback, or the port cannot be had.
    """
    address = "127.0.0.1" if host.lower() == "localhost" else host
    if not is_loopback_address(address):
        raise UsageError(f"'{host}' is not on this machine only: --host must be 127.0.0.1, ::1 or localhost.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        raise UsageError(f"Port {port} of {address} cannot be used: {explain(error)}.") from error


def address_of(listening: socket.socket) -> str:
    """Return the URL of what listens there."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
