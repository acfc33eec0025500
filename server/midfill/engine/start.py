"""How a server comes to its engine process: it joins the one that runs, or starts it. Servers that start at once agree.

The engine is a process of its own: it survives the server that started it, and shares neither its input nor its output.
"""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import filelock

import midfill
from midfill.common import background
from midfill.common.child_programs import python_module
from midfill.common.errors import EngineUnavailable
from midfill.engine.address import Address
from midfill.engine.connection import Connection, ConnectionLost, connect

READY = b"ready\n"
"""What the engine process prints when it listens."""
_LOCK_SECONDS = 60.0
"""Seconds after which another server has surely started its engine."""
_START_SECONDS = 60.0
"""Seconds that a new process has until it listens. The model is loaded after that."""
_MODULE = "midfill.engine.host"


@dataclass(frozen=True, kw_only=True)
class EngineSetup:
    """What an engine process must know."""

    folder: str
    """The folder of its address."""
    name: str
    bundle: str
    """The bundle's folder."""
    digest: str
    """The bundle must still be this one: see :func:`midfill.engine.address.digest_of`."""
    threads: int
    use: str


def join_or_start(address: Address, setup: EngineSetup) -> Connection:
    """Return a connection to the engine that listens at ``address``; start it first if need be.

    Raises:
        EngineUnavailable: it cannot be started.
    """
    running = join(address)
    if running is not None:
        return running
    try:
        with filelock.FileLock(address.lock, timeout=_LOCK_SECONDS):
            return join(address) or _start(address, setup)
    except (OSError, filelock.Timeout) as error:
        raise EngineUnavailable(f"{address.lock} cannot be locked ({type(error).__name__})") from error


def join(address: Address) -> Connection | None:
    """Return a connection to the engine that listens at ``address``; None if there is none."""
    key = address.key()
    try:
        return connect(address.socket, key) if key else None
    except ConnectionLost:
        return None


def _start(address: Address, setup: EngineSetup) -> Connection:
    key = address.renew()
    command = python_module(_MODULE, json.dumps(vars(setup)))
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own module in our own interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(midfill.__file__).parent.parent,  # the user's may be deleted or unmounted meanwhile
            start_new_session=True,
            creationflags=background.creation_flags(),
        )
    except OSError as error:
        raise EngineUnavailable(f"no process can be started ({type(error).__name__})") from error
    # The process outlives this call, so a thread waits for its end; else it would stay as a zombie.
    threading.Thread(target=process.wait, name="midfill-engine", daemon=True).start()
    assert process.stdout is not None  # noqa: S101 -- Popen was given a pipe
    too_late = threading.Timer(_START_SECONDS, process.kill)
    too_late.start()
    with process.stdout:
        said = process.stdout.readline()
    too_late.cancel()
    try:
        if said != READY:
            raise ConnectionLost
        return connect(address.socket, key)
    except ConnectionLost:
        process.kill()
        raise EngineUnavailable("its process ended before it could be used") from None
