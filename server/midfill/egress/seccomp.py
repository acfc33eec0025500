"""A filter for the kernel (seccomp): it reports those that can reach another process, and allows all others."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from midfill.common.errors import EgressUnwatched

OTHER_CALL = "a call of another architecture"


@dataclass(frozen=True)
class Machine:
    """The numbers of one kind of processor."""

    architecture: int
    """The kernel's ``AUDIT_ARCH``."""
    calls: Mapping[int, str]
    """The calls that are reported."""
    seccomp: int
    """The number of the call that installs a filter."""
    first_foreign: int | None = None
    """The first number of another calling convention, if there is one."""


_MACHINES = {
    "x86_64": Machine(
        architecture=0xC000003E,
        calls={
            41: "socket",
            42: "connect",
            44: "sendto",
            46: "sendmsg",
            49: "bind",
            307: "sendmmsg",
            425: "io_uring_setup",
        },
        seccomp=317,
        first_foreign=0x40000000,
    ),
    "aarch64": Machine(
        architecture=0xC00000B7,
        calls={
            198: "socket",
            200: "bind",
            203: "connect",
            206: "sendto",
            211: "sendmsg",
            269: "sendmmsg",
            425: "io_uring_setup",
        },
        seccomp=277,
    ),
}
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_NOT_LESS, _RETURN = 0x20, 0x15, 0x35, 0x06
_CALL_AT, _ARCHITECTURE_AT = 0, 4
"""Where the kernel puts both, in bytes."""
_ALLOW, _REPORT = 0x7FFF0000, 0x7FC00000
_FIRST_VERSION = (5, 5)
_NO_NEW_PRIVILEGES, _SET_FILTER, _NEW_LISTENER = 38, 1, 1 << 3


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def this_machine() -> Machine:
    """Return the numbers of this machine.

    Raises:
        EgressUnwatched: its calls cannot be watched.
    """
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        raise EgressUnwatched(
            f"Connections cannot be watched on {platform.system()} with a processor of the kind"
            f" '{platform.machine()}': run this on Linux, on x86_64 or aarch64."
        )
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if version and tuple(map(int, version.groups())) < _FIRST_VERSION:  # a call could be reported, but not allowed
        raise EgressUnwatched(f"Linux {version[0]} does not let Midfill watch connections: run this on 5.5 or later.")
    return machine


def install(machine: Machine) -> int:
    """Filter the calls of this thread, and of all threads and processes that it starts, for ever.

    Returns:
        The descriptor by which the kernel reports calls. Each one waits until it is answered.

    Raises:
        EgressUnwatched: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    made = [_Instruction(*instruction) for instruction in _instructions(machine)]
    program = _Program(len(made), (_Instruction * len(made))(*made))
    listener = -1
    number = ctypes.c_ulong  # both functions take whole registers
    if libc.prctl(number(_NO_NEW_PRIVILEGES), number(1), number(0), number(0), number(0)) == 0:
        call, flags = number(machine.seccomp), number(_NEW_LISTENER)
        listener = libc.syscall(call, number(_SET_FILTER), flags, ctypes.byref(program))
    if listener < 0:
        why = os.strerror(ctypes.get_errno())
        raise EgressUnwatched(
            f"This system does not let Midfill watch connections ({why}): run this on Linux 5.5 or later, outside a"
            " container that forbids it."
        )
    return int(listener)


def _instructions(machine: Machine) -> Iterator[tuple[int, int, int, int]]:
    """Yield the program: a code, how far to jump if it holds and if not, and a value."""
    checks = [(_JUMP_IF_EQUAL, number) for number in machine.calls]
    if machine.first_foreign is not None:
        checks.append((_JUMP_IF_NOT_LESS, machine.first_foreign))
    yield _LOAD, 0, 0, _ARCHITECTURE_AT
    yield _JUMP_IF_EQUAL, 0, len(checks) + 2, machine.architecture  # another one goes to the report
    yield _LOAD, 0, 0, _CALL_AT
    for after, (code, number) in zip(reversed(range(len(checks))), checks, strict=True):
        yield code, after + 1, 0, number
    yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REPORT
