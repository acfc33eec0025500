"""The watch over real processes: each kind of connection is seen, and none is made."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from midfill.common.errors import EgressUnwatched
from midfill.egress.watch import Watch

HEAD = "import ctypes, os, socket, subprocess, sys\n"
CONNECT = "print(socket.socket().connect_ex(('192.0.2.1', 80)))"
SEEN = {
    "TCP": (CONNECT, ["socket: a socket for IPv4, stream", "connect: 192.0.2.1 port 80"]),
    "IPv6": (
        "print(socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 443)))",
        ["socket: a socket for IPv6, stream", "connect: [2001:db8::1] port 443"],
    ),
    "UDP": (
        "udp = socket.socket(type=socket.SOCK_DGRAM)\n"
        "try: udp.sendto(b'x', ('192.0.2.2', 53))\n"
        "except OSError as error: print(error.errno)",
        ["socket: a socket for IPv4, datagram", "sendto: 192.0.2.2 port 53"],
    ),
    "UDP message": (
        "udp = socket.socket(type=socket.SOCK_DGRAM)\n"
        "try: udp.sendmsg([b'x'], [], 0, ('192.0.2.3', 53))\n"
        "except OSError as error: print(error.errno)",
        ["socket: a socket for IPv4, datagram", "sendmsg: 192.0.2.3 port 53"],
    ),
    "the system's bus": (
        "print(socket.socket(socket.AF_UNIX).connect_ex('/run/dbus/system_bus_socket'))",
        ["connect: the Unix socket '/run/dbus/system_bus_socket'"],
    ),
    "a process of a process": (
        f"subprocess.run([sys.executable, '-c', {f'import socket; {CONNECT}'!r}])",
        ["socket: a socket for IPv4, stream", "connect: 192.0.2.1 port 80"],
    ),
    "native code": (
        "libc = ctypes.CDLL(None, use_errno=True); address = bytes([2, 0, 0, 80, 192, 0, 2, 4, *bytes(8)])\n"
        "libc.connect(libc.socket(2, 1, 0), address, 16); print(ctypes.get_errno())",
        ["socket: a socket for IPv4, stream", "connect: 192.0.2.4 port 80"],
    ),
}
NETWORK_IS_UNREACHABLE = "101\n"


def run(code: str) -> tuple[list[str], str]:
    """Run Python code in a watch; return what was seen, without the program's name, and what the code printed."""
    try:
        with Watch() as watch:
            command = [sys.executable, "-c", HEAD + code]
            ran = watch.start(lambda: subprocess.run(command, capture_output=True, text=True, check=True))
            return [str(attempt).partition(", by ")[0] for attempt in watch.attempts], ran.stdout
    except EgressUnwatched as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("code", "seen"), SEEN.values(), ids=SEEN.keys())
def test_attempts_are_seen_and_refused(code: str, seen: list[str]) -> None:
    """The caller is told that there is no network, whatever this machine has."""
    assert run(code) == (seen, NETWORK_IS_UNREACHABLE)


def test_a_name_is_looked_up_by_nobody() -> None:
    """A look-up fails, and the attempt to ask the system's resolver or a name server is seen."""
    seen, printed = run("try: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: print('failed')")
    assert printed == "failed\n"
    assert [attempt for attempt in seen if attempt.startswith("connect: ")]


def test_sockets_that_lead_nowhere_are_not_counted() -> None:
    """The event loop wakes itself up by a connected pair; what is sent on it arrives."""
    one_to_other = "one, other = socket.socketpair(); one.send(b'a'); one.sendmsg([b'b']); print(other.recv(9))"
    assert run(one_to_other) == ([], "b'ab'\n")


def test_how_often_is_counted() -> None:
    """The same attempt is one entry, with the number of times."""
    try:
        with Watch() as watch:
            command = [sys.executable, "-c", f"{HEAD}for _ in range(3): socket.socket(socket.AF_INET6)"]
            watch.start(lambda: subprocess.run(command, check=True))
    except EgressUnwatched as error:
        pytest.skip(str(error))
    assert list(watch.attempts.values()) == [3]


def test_this_process_is_not_watched() -> None:
    """The filter is that of the thread that starts the processes, which has ended."""
    run("pass")
    seen, _ = run("pass")
    assert seen == []


@pytest.mark.parametrize(("system", "machine"), [("linux", "riscv64"), ("darwin", "arm64"), ("win32", "AMD64")])
def test_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    """Where calls cannot be watched, nothing is said to be proven."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(EgressUnwatched, match=f"a processor of the kind '{machine}': run this on Linux"):
        Watch()


def test_older_linux_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls are reported, but none of them could go on."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "release", lambda: "5.4.0-26-generic")
    with pytest.raises(EgressUnwatched, match=r"^Linux 5\.4 does not let Midfill watch connections: "):
        Watch()
