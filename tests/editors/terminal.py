"""A terminal that keeps a program's screen: keys in, characters and colours out, as a user has them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pyte
from pyte.screens import Char

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
_PRIVATE = re.compile(rb"\x1b\[[>=<][0-9;:]*[a-zA-Z]|\x1b\[\?[0-9;]*u|\x1bP[^\x1b]*\x1b\\")
"""Sequences that pyte takes for others: key protocols and queries of the terminal's abilities."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:?>=<]*|P[^\x1b]*\x1b?)?\Z")


class _Screen(pyte.Screen):
    """A screen that answers what programs ask of their terminal."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        """Send an answer to the program."""
        self._answer(data.encode())


def _is_engine(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "midfill.engine.host" in process.cmdline()
    return False


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


class Terminal:
    """A program in a terminal of its own; a context, which ends the program and all that it started."""

    def __init__(
        self, argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path, *, columns: int = 80, rows: int = 24
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = _Screen(columns, rows, self._write)
        self._stream = pyte.ByteStream(self.screen)
        self._unfinished = b""
        self.last_output = 0.0
        """When the program wrote last, in seconds since 1970."""
        self.process = subprocess.Popen(
            [os.fspath(argument) for argument in argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads are running yet
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        # Neovim's screen and Neovim itself are two processes, of two sessions.
        started: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(self.process.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for process in filter(_is_engine, started):
            _kill(process)  # it would wait for the next server
        _, alive = psutil.wait_procs(started, timeout=5)
        for process in alive:
            _kill(process)
        os.close(self._master)

    def send(self, keys: str) -> None:
        """Press keys, as the terminal spells them."""
        self._write(keys.encode())

    def wait_for(
        self, condition: Callable[[], object], what: str, patience: float = PATIENCE, glance: float = 0.05
    ) -> None:
        """Wait until a condition on the screen, or anything else, holds; fail with the screen if it never does."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {patience:.0f} s for {what}; the screen:\n{self.text()}")
            self.pump(glance)

    def pump(self, seconds: float) -> bool:
        """Take in what the program has written, waiting for the first of it; whether there was any."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux's way to say that the program has gone
            raise AssertionError(f"the program has ended; its last screen:\n{self.text()}") from None
        self.last_output = time.time()
        data = self._unfinished + data
        cut = _UNFINISHED.search(data)
        self._unfinished = data[cut.start() :] if cut else b""
        self._stream.feed(_PRIVATE.sub(b"", data[: cut.start()] if cut else data))
        return True

    def text(self, *, without: str = "") -> str:
        """Return what the screen shows, without trailing space, and without what has a colour."""
        return "\n".join(
            "".join(" " if cell.fg == without else cell.data for cell in row).rstrip() for row in self._rows()
        )

    def text_in(self, colour: str) -> str:
        """Return what the screen shows in a colour (six hexadecimal digits), line by line; "" when nothing."""
        lines = ("".join(cell.data for cell in row if cell.fg == colour).rstrip() for row in self._rows())
        return "\n".join(line for line in lines if line)

    def _rows(self) -> Iterator[list[Char]]:
        for row in range(self.screen.lines):
            cells = self.screen.buffer[row]
            yield [cells[column] for column in range(self.screen.columns)]

    def _write(self, data: bytes) -> None:
        os.write(self._master, data)
