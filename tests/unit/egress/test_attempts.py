"""What a system call tries to reach: its arguments in words."""

from __future__ import annotations

import struct

import pytest

from midfill.egress.attempts import ReadMemory, address_in_words, attempts_of

AT = 0x1000
IPV4 = struct.pack("=H", 2) + struct.pack("!H", 443) + bytes([192, 0, 2, 1]) + bytes(8)
IPV6 = struct.pack("=H", 10) + struct.pack("!HI", 53, 0) + bytes([0x20, 1, 0x0D, 0xB8, *bytes(11), 1]) + bytes(4)
BUS = struct.pack("=H", 1) + b"/run/dbus/system_bus_socket\0"


def memory(content: bytes) -> ReadMemory:
    """Return a process's memory that begins at ``AT``; nothing else can be read."""
    return lambda address, size: content[address - AT :][:size] if address >= AT else b""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (IPV4, "192.0.2.1 port 443"),
        (IPV6, "[2001:db8::1] port 53"),
        (BUS, "the Unix socket '/run/dbus/system_bus_socket'"),
        (struct.pack("=H", 1) + b"\0bus\x1b\0", "the Unix socket '@bus\\x1b'"),
        (struct.pack("=H", 1), ""),
        (struct.pack("=H", 1) + bytes(108), ""),
        (struct.pack("=H", 40) + bytes(14), "an address of vsock"),
        (struct.pack("=H", 99) + bytes(14), "an address of family 99"),
        (IPV4[:6], "an address of IPv4"),
        (IPV6[:20], "an address of IPv6"),
        (b"", ""),
        (b"\2", ""),
    ],
)
def test_address_in_words(address: bytes, words: str) -> None:
    """Each kind of address has its form, and one that is cut short is named by its kind."""
    assert address_in_words(address) == words


@pytest.mark.parametrize(
    ("family", "kind", "words"),
    [
        (2, 1 | 0o2000000, ["a socket for IPv4, stream"]),
        (10, 2, ["a socket for IPv6, datagram"]),
        (16, 3, ["a socket for netlink, raw"]),
        (77, 9, ["a socket for family 77, type 9"]),
        (1, 1, []),
    ],
)
def test_sockets(family: int, kind: int, words: list[str]) -> None:
    """A socket for any network counts as soon as it is made; one for processes of this machine does not."""
    assert [attempt.target for attempt in attempts_of("socket", (family, kind, 0, 0, 0, 0), memory(b""))] == words


@pytest.mark.parametrize("call", ["connect", "bind"])
def test_addresses_of_connections(call: str) -> None:
    """The address is in the caller's memory."""
    assert [str(each) for each in attempts_of(call, (3, AT, len(IPV4), 0, 0, 0), memory(IPV4))] == [
        f"{call}: 192.0.2.1 port 443"
    ]


def test_datagrams() -> None:
    """One with an address counts; on a connected socket there is none, for the connection has counted."""
    assert [each.target for each in attempts_of("sendto", (3, 0, 0, 0, AT, len(IPV6)), memory(IPV6))] == [
        "[2001:db8::1] port 53"
    ]
    assert attempts_of("sendto", (3, 0, 0, 0, 0, 0), memory(IPV6)) == []


def test_messages() -> None:
    """The address of each message of several is read; a message without one does not count."""
    headers = [struct.pack("=QI", AT + 128, len(IPV4)).ljust(64, b"\0"), bytes(64)]
    content = b"".join((*headers, IPV4))
    assert [each.target for each in attempts_of("sendmmsg", (3, AT, 2, 0, 0, 0), memory(content))] == [
        "192.0.2.1 port 443"
    ]
    assert attempts_of("sendmsg", (3, AT + 64, 0, 0, 0, 0), memory(content)) == []


def test_memory_that_cannot_be_read() -> None:
    """The caller is gone, or lies about an address: there is nothing to say."""
    assert attempts_of("connect", (3, 7, 16, 0, 0, 0), memory(IPV4)) == []
    assert attempts_of("sendmmsg", (3, 7, 1 << 40, 0, 0, 0), memory(IPV4)) == []


def test_calls_that_hide_others() -> None:
    """What is done in a ring of requests is seen by nobody, so the ring counts."""
    assert [str(each) for each in attempts_of("io_uring_setup", (1, 0, 0, 0, 0, 0), memory(b""))] == [
        "io_uring_setup: calls that cannot be watched"
    ]
