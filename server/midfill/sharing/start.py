"""How a server comes to a shared process: it joins the one that runs, or starts it. Servers that start at once agree.

It is a process of its own: it survives the server that started it, and shares neither its input nor its output.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import filelock

import midfill
from midfill.common import background
from midfill.common.child_programs import python_module
from midfill.sharing import CannotShare
from midfill.sharing.address import Address
from midfill.sharing.connection import ConnectionLost, connect

if TYPE_CHECKING:
    from midfill.sharing.connection import RawConnection

READY = b"ready\n"
"""What a shared process prints when it listens."""
_START_SECONDS = 60.0
"""Seconds that a new process has until it listens."""
_LOCK_SECONDS = _START_SECONDS + 30.0
"""Seconds after which another server has surely started the process, or failed; it also tries to join before."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a shared process runs."""

    module: str
    setup: Mapping[str, Any]
    """What it must know: values of JSON by their names, which it reads from its input."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What its environment has that ours may not have."""


class Joined(NamedTuple):
    """A connection to a shared process."""

    raw: RawConnection
    key: bytes
    """The key of this process. One that takes its place has another one."""


def join_or_start(address: Address, program: Program, lost: bytes | None = None) -> Joined:
    """Return a connection to the process that listens at ``address``; start it first if need be.

    ``lost`` is the key of a process that stands still. It is not asked again, because it would not answer either.

    Raises:
        CannotShare: it cannot be started.
    """
    running = join(address, lost)
    if running is not None:
        return running
    try:
        with filelock.FileLock(address.lock, timeout=_LOCK_SECONDS):
            return join(address, lost) or _start(address, program)
    except (OSError, filelock.Timeout) as error:
        raise CannotShare(f"{address.lock} cannot be locked ({type(error).__name__})") from error


def join(address: Address, lost: bytes | None = None) -> Joined | None:
    """Return a connection to the process that listens at ``address``; None if there is none but that of ``lost``."""
    key = address.key()
    try:
        return Joined(connect(address.socket, key), key) if key and key != lost else None
    except ConnectionLost:
        return None


def _start(address: Address, program: Program) -> Joined:
    key = address.renew()
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own module in our own interpreter
            python_module(program.module, str(address.folder / address.name)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(midfill.__file__).parent.parent,  # the user's may be deleted or unmounted meanwhile
            env={**os.environ, **program.environment},
            start_new_session=True,
            creationflags=background.no_window(),
        )
    except OSError as error:
        raise CannotShare(f"no process can be started ({type(error).__name__})") from error
    # The process outlives this call, so a thread waits for its end; else it would stay as a zombie.
    threading.Thread(target=process.wait, name="midfill-shared", daemon=True).start()
    assert process.stdin is not None  # noqa: S101 -- Popen was given pipes
    assert process.stdout is not None  # noqa: S101
    too_late = threading.Timer(_START_SECONDS, process.kill)
    too_late.start()
    said = _tell(process.stdin, process.stdout, program.setup)
    too_late.cancel()
    try:
        if said != READY:
            raise ConnectionLost
        return Joined(connect(address.socket, key), key)
    except ConnectionLost:
        process.kill()
        raise CannotShare("its process ended before it could be used") from None


def _tell(to: IO[bytes], answers: IO[bytes], setup: Mapping[str, Any]) -> bytes:
    """Tell a new process what it must know; return the line that it prints."""
    with answers:
        with suppress(OSError), to:  # it may have ended already
            to.write(json.dumps(setup).encode())
        return answers.readline()
