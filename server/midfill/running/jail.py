"""Runs a command on a copy of a project: without a network, and unable to write anywhere but in the copy.

The sandbox is Linux's own: namespaces for users, mounts, processes and the network, as containers have them. Where a
machine has no such namespaces, nothing is run. What runs can read what the user can read, but for folders of keys; it
cannot send it anywhere, and it does not get the user's environment variables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from midfill.common.cancel import CancelFlag
from midfill.common.file_system import is_within
from midfill.running.jailed import NO_SANDBOX
from midfill.running.sandbox import kill_group

PROGRAM = Path(__file__).with_name("jailed.py")
_MAX_OUTPUT_BYTES = 200_000
"""Number of bytes at the end of the output that are read."""
_FILE_MEGABYTES = 200
"""Maximum size of a file that is written."""
_POLL_SECONDS = 0.05
_TRIAL_SECONDS = 10
_KEPT = (".venv", "venv", "env", "node_modules")
"""Folders in a project that are seen where they are, instead of copied."""
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 (nothing is written there)
"""Folders that the sandbox empties, and that may have a Python."""
_MAX_LINKS = 8
_HIDDEN = (".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/gcloud", ".config/gh", ".password-store")
"""Folders of keys in the user's home."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int | None
    """Its exit code; None if it was killed because its time was up."""
    output: str
    """The end of what it wrote to its standard output and error output."""
    seconds: float


@dataclass(frozen=True)
class Jail:
    """A copy of a project in which commands can be run, one at a time."""

    project: Path
    """The project's folder."""
    work: Path
    """A folder of its own; ``tree`` in it is the copy."""

    @property
    def tree(self) -> Path:
        """The copy."""
        return self.work / "tree"

    def write(self, path: Path, text: str) -> None:
        """Write a file of the project into the copy."""
        copy = self.tree / path.relative_to(self.project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8", errors="replace", newline="")

    def run(self, command: Sequence[str], *, seconds: int, megabytes: int, cancel: CancelFlag) -> Outcome | None:
        """Run a command in the copy; its first word is an absolute path. None if there is no sandbox here.

        Args:
            command: the program and its arguments.
            seconds: time after which it is killed, with all that it has started.
            megabytes: maximum address space of each process.
            cancel: ends it when it is set.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        plan = {
            "work": str(self.work),
            "project": str(self.project),
            "kept": [str(self.project / name) for name in _KEPT],
            "shown": _environments_of(Path(command[0]), (self.project, self.work)),
            "hidden": [os.path.join(os.path.expanduser("~"), name) for name in _HIDDEN],
            "command": list(command),
            "folder": str(self.project),
            "environment": self._environment(Path(command[0])),
            "seconds": seconds,
            "megabytes": megabytes,
            "file_megabytes": _FILE_MEGABYTES,
        }
        started = time.monotonic()
        with tempfile.TemporaryFile() as output:  # not a pipe, which a process that outlives the command keeps open
            process = subprocess.Popen(  # noqa: S603 (the user has allowed it)
                [sys.executable, "-I", "-S", "-B", str(PROGRAM), json.dumps(plan)],
                cwd="/",
                env={},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = _wait(process, started + seconds, cancel)
            finally:
                kill_group(process)
            size = output.seek(0, os.SEEK_END)
            output.seek(max(size - _MAX_OUTPUT_BYTES, 0))
            text = output.read().decode(errors="replace")
        if code == NO_SANDBOX:
            return None
        return Outcome(code=code, output=text, seconds=time.monotonic() - started)

    def _environment(self, program: Path) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join((str(program.parent), "/usr/local/bin", "/usr/bin", "/bin")),
            "HOME": str(self.work / "home"),
            "TMPDIR": str(self.work / "temporary"),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "Agg",
        }


def _environments_of(program: Path, apart: Sequence[Path]) -> list[str]:
    """Return the Pythons and their environments that a program's links lead through, of those in hidden folders.

    Other folders there stay hidden, whatever a project's link leads to. Above all, nothing is shown over the folders
    ``apart``, the project and the copy: the real project would be written to.
    """
    found: list[str] = []
    for _ in range(_MAX_LINKS):
        environment = Path(os.path.normpath(program)).parent.parent
        in_hidden = any(str(environment).startswith(f"{folder}/") for folder in _TEMPORARY)
        real = environment.resolve()
        is_apart = not any(is_within(real, folder) or is_within(folder, real) for folder in apart)
        if in_hidden and is_apart and any(environment.glob("lib/python3*")):
            found.append(str(environment))
        if not program.is_symlink():
            break
        program = program.parent / os.readlink(program)
    return found


@contextmanager
def jail_of(project: Path) -> Iterator[Jail]:
    """Make an empty copy of a project; it is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="midfill-run-", ignore_cleanup_errors=True) as folder:
        work = Path(folder).resolve()
        for name in ("tree", "home", "temporary"):
            (work / name).mkdir()
        for name in _KEPT:
            if (project / name).is_dir():
                (work / "tree" / name).mkdir()  # what is kept is mounted there
        yield Jail(project, work)


@lru_cache(1)
def can_run() -> bool:
    """Return whether this machine has the sandbox. It is tried once."""
    if sys.platform != "linux":
        return False
    with jail_of(Path(tempfile.gettempdir()).resolve() / "midfill-trial") as jail:
        command = [os.path.realpath(sys.executable), "-I", "-S", "-c", ""]
        outcome = jail.run(command, seconds=_TRIAL_SECONDS, megabytes=1024, cancel=CancelFlag())
    return outcome is not None and outcome.code == 0


def _wait(process: subprocess.Popen[bytes], until: float, cancel: CancelFlag) -> int | None:
    """Return a process's exit code; None if it takes too long."""
    while True:
        cancel.check()
        try:
            return process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() > until:
                return None
