"""The languages that programs are run in, each with the tools that this machine needs for it.

Like :mod:`midfill.evals.sandbox` for Python, this holds what a model gets wrong, not an attacker: a program has an
empty folder, next to no environment, no network where Linux allows that to be taken away, limits of time, of memory and
of what it writes, and all its processes are killed at its end. It can read what the user may read.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.evals.sandbox import MAX_REASON_BYTES, RunResult, kill_group, run_python
from midfill.evals.sandboxed import CLONE_NEWNET, CLONE_NEWUSER

SECONDS = 15.0
"""For a program; compilers have ``_COMPILE_SECONDS``."""
MEGABYTES = 1_024
_COMPILE_SECONDS = 120.0
_MAX_FILE_BYTES = 64 << 20
_JAVATUPLES = re.compile(r"\b(?:Unit|Pair|Triplet|Quartet|Quintet|Sextet|Septet|Octet|Ennead|Decade)\b")
"""The names of a library that MultiPL-E's Java prompts import, most of them for nothing."""

_TYPESCRIPT_SYNTAX = re.compile(r"error TS1\d{3}:")
"""What tsc says of a program that is none; other numbers are of types, or of node's own, whose types are not here."""
_MAX_OUTPUT_BYTES = 1 << 16
"""Bytes of what a compiler says."""


@dataclass(frozen=True)
class ToolChain:
    """How programs of a language are run."""

    name: str
    file: str
    """What the source is called."""
    tools: tuple[str, ...]
    """What must be on the path, all of it."""
    commands: tuple[tuple[str, ...], ...]
    """Compilers first; the last one runs the program, which passes if it ends with 0."""
    limits_memory_itself: bool = False
    """Reserves more addresses than it uses, so that they cannot be limited."""

    @property
    def missing(self) -> str:
        """The tools that this machine has not, in words; "" when it has all."""
        return " and ".join(tool for tool in self.tools if shutil.which(tool) is None)


CHAINS = {
    "py": ToolChain("Python", "", (), ()),  # the sandbox of its own
    "js": ToolChain("JavaScript", "program.js", ("node",), (("node", "--max-old-space-size=512", "program.js"),), True),
    "ts": ToolChain(
        "TypeScript",
        "program.ts",
        ("tsc", "node"),
        # Types that are wrong do not keep a program from running: tsc writes it all the same.
        (
            ("tsc", "--noEmitOnError", "false", "--target", "es2020", "--module", "commonjs", "program.ts"),
            ("node", "--max-old-space-size=512", "program.js"),
        ),
        True,
    ),
    "java": ToolChain(
        "Java",
        "Problem.java",
        ("javac", "java"),
        (("javac", "-encoding", "UTF-8", "Problem.java"), ("java", "-ea", "-Xmx512m", "Problem")),
        True,
    ),
    "cpp": ToolChain(
        "C++", "program.cpp", ("g++",), (("g++", "-std=c++17", "program.cpp", "-o", "program"), ("./program",))
    ),
    "rs": ToolChain("Rust", "program.rs", ("rustc",), (("rustc", "program.rs", "-o", "program"), ("./program",))),
    "php": ToolChain("PHP", "program.php", ("php",), (("php", "program.php"),)),
    "r": ToolChain("R", "program.R", ("Rscript",), (("Rscript", "--vanilla", "program.R"),)),
}
"""By the names that MultiPL-E gives languages."""


def run_program(language: str, source: str) -> RunResult:
    """Compile a program, if need be, and run it; it passes if it ends with 0.

    Args:
        language: a key of ``CHAINS`` whose tools are there.
        source: the program, with its tests.
    """
    if language == "py":
        return run_python(source, seconds=SECONDS, megabytes=MEGABYTES)
    chain = CHAINS[language]
    if language == "java":
        source = _without_javatuples(source)
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as name:
        folder = Path(name)
        (folder / chain.file).write_text(source, encoding="utf-8", errors="replace")
        for number, command in enumerate(chain.commands, start=1):
            last = number == len(chain.commands)
            failed = _run(command, folder, compiling=not last, limit=last and not chain.limits_memory_itself)
            if failed and not (command[0] == "tsc" and not _TYPESCRIPT_SYNTAX.search(failed)):
                return RunResult(passed=False, reason=failed[:MAX_REASON_BYTES])
    return RunResult(passed=True, reason="")


def needs_javatuples(source: str) -> bool:
    """Tell whether a Java program uses the tuples that it imports, and this machine's class path has none."""
    imports, rest = "import org.javatuples", re.sub(r"(?m)^import .*$", "", source)
    return imports in source and _JAVATUPLES.search(rest) is not None and not _javatuples()


def _without_javatuples(source: str) -> str:
    return source if _javatuples() else re.sub(r"(?m)^import org\.javatuples.*$", "", source)


def _javatuples() -> bool:
    return "javatuples" in os.environ.get("CLASSPATH", "")


def _run(command: Sequence[str], folder: Path, *, compiling: bool, limit: bool) -> str:
    """Run a command to its end; return why it failed, or ""."""
    seconds = _COMPILE_SECONDS if compiling else SECONDS
    environment = {name: os.environ[name] for name in ("PATH", "CLASSPATH", "RUSTUP_HOME") if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
    if "RUSTUP_HOME" not in environment and command[0] == "rustc":
        environment["RUSTUP_HOME"] = str(Path.home() / ".rustup")  # where rustup's launcher looks for the compiler
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (the commands are ours)
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_locked_in(int(seconds), MEGABYTES << 20 if limit else None),  # noqa: PLW1509 (it takes no lock)
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"still {'compiling' if compiling else 'running'} after {seconds:g} s"
        finally:
            kill_group(process)
        if code == 0:
            return ""
        said.seek(0)
        words = said.read(_MAX_OUTPUT_BYTES).decode(errors="replace").strip()
    return words or f"ended with exit code {code}"


def _locked_in(seconds: int, address_space: int | None) -> Callable[[], None] | None:
    """Return what a child does before it becomes the program: leave the network, and limit itself."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 (there is none on Windows)

    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 2 * seconds,
        resource.RLIMIT_FSIZE: _MAX_FILE_BYTES,
    }
    if address_space:
        limits[resource.RLIMIT_AS] = address_space
    unshare = _unshare()

    def lock_in() -> None:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        for which, limit in limits.items():
            resource.setrlimit(which, (limit, limit))

    return lock_in


@functools.lru_cache(None)
def _unshare() -> Callable[[int], object]:
    """Return Linux's ``unshare``, looked up before the fork; elsewhere nothing is taken away."""
    return ctypes.CDLL(None).unshare if sys.platform == "linux" else lambda _: None
