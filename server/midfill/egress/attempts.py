"""What a system call tries to reach, read from its arguments. The numbers are those of Linux."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from dataclasses import dataclass

ReadMemory = Callable[[int, int], bytes]
"""Returns the bytes at an address of the calling process, at most so many; fewer or none if they cannot be read."""

_UNIX, _IPV4, _NETLINK, _IPV6 = 1, 2, 16, 10
_FAMILIES = {_IPV4: "IPv4", _IPV6: "IPv6", _NETLINK: "netlink", 17: "packet", 31: "Bluetooth", 40: "vsock"}
_TYPES = {1: "stream", 2: "datagram", 3: "raw"}
_TYPE_MASK = 0xF
"""The other bits of a socket's type are flags."""
_MAX_ADDRESS = 128
"""Maximum number of bytes of an address."""
_MESSAGE_HEADER, _MESSAGES_STRIDE, _MAX_MESSAGES = 16, 64, 16
"""The first bytes of a ``msghdr``, the distance of two of them in an array, and how many of them are looked at."""


@dataclass(frozen=True)
class Attempt:
    """A call that would reach beyond the server's own processes."""

    call: str
    """The system call's name."""
    target: str
    """What it tries to reach, in words."""
    program: str = ""
    """The program that made the call."""

    def __str__(self) -> str:
        return f"{self.call}: {self.target}" + (f", by {self.program}" if self.program else "")


def attempts_of(call: str, arguments: tuple[int, ...], read: ReadMemory) -> list[Attempt]:
    """Return what a call tries to reach; nothing for a call that stays between the server's own processes.

    A socket for any network counts as soon as it is made. A Unix socket counts if it is to reach, or to be reached by,
    another program: a system's resolver or message bus asks others for it. A pair of connected ones, with which Python
    wakes itself up, does not.
    """
    if call == "socket":
        family, kind = arguments[0] & 0xFFFF, arguments[1] & _TYPE_MASK
        named = f"{_FAMILIES.get(family, f'family {family}')}, {_TYPES.get(kind, f'type {kind}')}"
        return [] if family == _UNIX else [Attempt(call, f"a socket for {named}")]
    if call in ("connect", "bind"):
        return _to(call, [read(arguments[1], min(arguments[2], _MAX_ADDRESS))])
    if call == "sendto":
        return _to(call, [read(arguments[4], min(arguments[5], _MAX_ADDRESS))]) if arguments[4] else []
    if call == "sendmsg":
        return _to(call, _addresses(arguments[1], 1, read))
    if call == "sendmmsg":
        return _to(call, _addresses(arguments[1], min(arguments[2], _MAX_MESSAGES), read))
    return [Attempt(call, "calls that cannot be watched")]


def address_in_words(address: bytes) -> str:
    """Return a ``sockaddr`` in words; "" for a Unix socket without a name, and for no address."""
    if len(address) < 2:
        return ""
    (family,) = struct.unpack_from("=H", address)
    if family == _UNIX:
        name = address[2:]
        shown = b"@" + name[1:].rstrip(b"\0") if name.startswith(b"\0") else name.partition(b"\0")[0]
        return f"the Unix socket {shown.decode(errors='replace')!a}" if shown not in (b"", b"@") else ""
    if family == _IPV4 and len(address) >= 8:
        (port,) = struct.unpack_from("!H", address, 2)
        return f"{ipaddress.IPv4Address(address[4:8])} port {port}"
    if family == _IPV6 and len(address) >= 24:
        (port,) = struct.unpack_from("!H", address, 2)
        return f"[{ipaddress.IPv6Address(address[8:24])}] port {port}"
    return f"an address of {_FAMILIES.get(family, f'family {family}')}"


def _to(call: str, addresses: list[bytes]) -> list[Attempt]:
    return [Attempt(call, words) for words in map(address_in_words, addresses) if words]


def _addresses(array: int, count: int, read: ReadMemory) -> list[bytes]:
    """Return the addresses in an array of ``msghdr``. A message on a connected socket has none."""
    found = []
    for number in range(count):
        header = read(array + number * _MESSAGES_STRIDE, _MESSAGE_HEADER)
        if len(header) == _MESSAGE_HEADER:
            pointer, length = struct.unpack_from("=QI", header)
            found.append(read(pointer, min(length, _MAX_ADDRESS)) if pointer else b"")
    return found
