"""The way from a server to its index's process: a child of its own, or one that servers of the same workspace share."""

from __future__ import annotations

import logging
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from midfill.common import background
from midfill.common.child_programs import python_module
from midfill.common.file_identity import resolve
from midfill.common.logs import PublicText
from midfill.privacy import git_settings
from midfill.retrieval import ipc
from midfill.retrieval.ipc import MessageConnection
from midfill.sharing import CAN_SHARE, CannotShare
from midfill.sharing.address import Address, address_of
from midfill.sharing.connection import ConnectionLost
from midfill.sharing.start import Program, join_or_start

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # With fixed thresholds glibc returns large freed blocks to the system: 154 MB instead of 274 MB
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}
_ATTEMPTS = 3
"""How often a server tries to join. A shared index may end just when a server comes."""
_JOIN_SECONDS = 60.0
"""Seconds in which a shared index surely lets a server in, whatever it is doing."""
_log = logging.getLogger(__name__)


class LinkBroken(Exception):
    """The index's process has ended."""


class IndexLink(Protocol):
    """Sends in one thread, and receives in another one."""

    pid: int
    """The process id of the index's process."""

    def send(self, message: ipc.Message) -> None:
        """Send a message.

        Raises:
            LinkBroken: the process has ended.
        """

    def receive(self) -> ipc.Message | None:
        """Wait for a message; None when the process has ended."""

    def stop(self) -> None:
        """End the process if it is ours alone."""

    def end_sending(self) -> None:
        """Say that nothing more is sent. The process then ends the conversation."""

    def end_receiving(self) -> None:
        """Free what is left, when the process has ended the conversation."""


def open_link(setup: ipc.Message, *, shared: bool) -> IndexLink:
    """Return a link to a process that has the index, or builds it.

    Args:
        setup: ``folders`` and ``patterns``: see :class:`midfill.privacy.ignore_rules.IgnoreRules`.
        shared: whether servers of the same workspace share a process, where the system lets them.

    Raises:
        OSError: no process can be started.
    """
    if shared and CAN_SHARE:
        try:
            return _join(setup)
        except CannotShare as error:
            _log.info("The workspace index is not shared: %s", PublicText(error.why))
    return _ChildLink(setup)


class _ChildLink:
    """A child process, over its pipes."""

    def __init__(self, setup: ipc.Message) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own module in our own interpreter
            python_module("midfill.retrieval.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
            creationflags=background.creation_flags(),
        )
        assert self._process.stdin is not None  # noqa: S101 -- Popen was given pipes
        assert self._process.stdout is not None  # noqa: S101
        self._input: IO[bytes] = self._process.stdin
        self._output: IO[bytes] = self._process.stdout
        self.pid = self._process.pid
        with suppress(LinkBroken):  # who receives notices it, too
            self.send(setup)

    def send(self, message: ipc.Message) -> None:
        try:
            ipc.write(self._input, message)
        except (OSError, ValueError) as error:
            raise LinkBroken from error

    def receive(self) -> ipc.Message | None:
        return ipc.read(self._output)

    def stop(self) -> None:
        self._process.kill()  # it has no data to save; whoever receives waits for its end

    def end_sending(self) -> None:
        with suppress(OSError):
            self._input.close()

    def end_receiving(self) -> None:
        self._output.close()
        self._process.wait()


class _SharedLink:
    """A connection to a process that may have other clients."""

    def __init__(self, connection: MessageConnection, first: ipc.Message) -> None:
        """Use a connection to a process that has said its ``first`` message."""
        self._connection = connection
        self._first: ipc.Message | None = first
        self.pid = first["process"]

    def send(self, message: ipc.Message) -> None:
        try:
            self._connection.send(message)
        except ConnectionLost as error:
            raise LinkBroken from error

    def receive(self) -> ipc.Message | None:
        first, self._first = self._first, None
        try:
            return first or self._connection.receive()
        except ConnectionLost:
            return None

    def stop(self) -> None:
        """Leave it to the others."""

    def end_sending(self) -> None:
        with suppress(LinkBroken):
            self.send({"do": "leave"})

    def end_receiving(self) -> None:
        self._connection.close()


def _join(setup: ipc.Message) -> _SharedLink:
    """Join the process for a workspace, or start it.

    Raises:
        CannotShare: that is impossible.
    """
    address = _address_for(setup)
    program = Program(module="midfill.retrieval.shared_worker", setup=setup, environment=_ENVIRONMENT)
    for _ in range(_ATTEMPTS):
        with suppress(ConnectionLost):
            connection = MessageConnection(join_or_start(address, program).raw)
            return _SharedLink(connection, connection.receive(_JOIN_SECONDS))
    raise CannotShare("its process ends again and again")


def _address_for(setup: ipc.Message) -> Address:
    """Return where servers meet whose index would be the same.

    Raises:
        CannotShare: there is no folder that is safe for it.
    """
    common = {
        "folders": [_identity(resolve(Path(folder))) for folder in setup["folders"]],
        "patterns": setup["patterns"],
        "git": {name: os.environ.get(name) for name in git_settings.ENVIRONMENT},
    }
    return address_of(common)


def _identity(folder: Path) -> list[str | int]:
    """Return what tells a folder from others; containers may have different folders at the same path."""
    try:
        status = os.stat(folder)
    except OSError:
        return [str(folder)]
    return [str(folder), status.st_dev, status.st_ino]
