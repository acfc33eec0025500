"""Receives the calls that the kernel reports, notes what they try to reach, and refuses that."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from types import TracebackType
from typing import TypeVar

from midfill.egress.attempts import Attempt, attempts_of
from midfill.egress.permitted import NOTHING, Permitted
from midfill.egress.seccomp import OTHER_CALL, install, this_machine

T = TypeVar("T")

_NOTICE = struct.Struct("=QIIiIQ6Q")
"""A ``seccomp_notif``: an id, the caller, flags, the call, its architecture, where it was made, its arguments."""
_RESPONSE = struct.Struct("=QqiI")
"""A ``seccomp_notif_resp``: the id, a result, an error, flags."""
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1
_GLANCE_MILLISECONDS = 200
"""How long to wait for a call before looking whether to end."""


class Watch:
    """Watches what is started in it; a context manager.

    A socket may be made, so that all that follows is seen. But no call reaches anything, unless it is permitted: a
    connection is refused, as it is on a machine without any network.
    """

    def __init__(self, permitted: Permitted = NOTHING) -> None:
        """Let only what is ``permitted`` reach anything."""
        self._permitted = permitted
        self._machine = this_machine()
        self._listener: int | None = None
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="egress", daemon=True)
        self._seen: Counter[Attempt] = Counter()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._listener is not None:
            self._watcher.join()
            os.close(self._listener)
            self._listener = None

    @property
    def attempts(self) -> dict[Attempt, int]:
        """What was tried so far, and how often."""
        return dict(self._seen)

    def start(self, start: Callable[[], T]) -> T:
        """Call ``start``, once: all processes that it starts are watched, and all that these start.

        It runs in a thread of its own. The filter is that thread's, so this process goes on as before.

        Raises:
            EgressUnwatched: the kernel refuses.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                self._listener = install(self._machine)
                self._watcher.start()
                results.append(start())
            except BaseException as error:  # it is raised below, in the caller's thread
                errors.append(error)

        thread = threading.Thread(target=run, name="egress-start")
        thread.start()
        thread.join()
        for error in errors:
            raise error
        return results[0]

    def _watch(self) -> None:
        listener = self._listener
        if sys.platform != "linux" or listener is None:
            return
        import fcntl  # noqa: PLC0415 -- Windows does not have it

        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not self._ended.is_set():
            events = poll.poll(_GLANCE_MILLISECONDS)
            if not events:
                continue
            if not events[0][1] & select.POLLIN:  # all watched processes have ended
                return
            notice = bytearray(_NOTICE.size)
            with contextlib.suppress(OSError):  # the caller was killed meanwhile
                fcntl.ioctl(listener, _RECEIVE, notice)
                fcntl.ioctl(listener, _SEND, bytearray(self._answer(*_NOTICE.unpack(notice))))

    def _answer(
        self, number: int, caller: int, _flags: int, call: int, architecture: int, _at: int, *args: int
    ) -> bytes:
        known = architecture == self._machine.architecture
        name = self._machine.calls.get(call, OTHER_CALL) if known else OTHER_CALL
        found = attempts_of(name, args, lambda address, size: _memory(caller, address, size))
        for attempt in found:
            self._seen[Attempt(attempt.call, attempt.target, _program(caller))] += 1
        if not found or name == "socket" or all(map(self._permitted.allows, found)):
            return _RESPONSE.pack(number, 0, 0, _GO_ON)
        refusal = errno.ENOSYS if name in (OTHER_CALL, "io_uring_setup") else errno.ENETUNREACH
        return _RESPONSE.pack(number, 0, -refusal, 0)


def _memory(process: int, address: int, size: int) -> bytes:
    """Return bytes of a process's memory; b"" if they cannot be read."""
    try:
        with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, address)
    except (OSError, OverflowError):
        return b""


def _program(process: int) -> str:
    """Return a process's command without its options; "" if it is gone."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            words = file.read(4096).decode(errors="replace").split("\0")
    except OSError:
        return ""
    named = next((word for before, word in pairwise(words) if before == "-m"), "")
    return ascii(f"{os.path.basename(words[0])}{f' -m {named}' if named else ''}")
