"""Compiles and runs programs in several languages, with the tools that are installed on this machine.

Like :mod:`midfill.running.sandbox` for Python, this protects against a model's mistakes, not against an attacker. A
program has an empty folder, an almost empty environment, and limits of time, memory and file size. Where Linux allows
it, the program has no network. All its processes are killed at its end. It can read the files that the user can read.
"""

from __future__ import annotations

import ctypes
import functools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.common.child_programs import find_program
from midfill.running.sandbox import MAX_REASON_BYTES, RunResult, kill_group, needed_environment, run_python
from midfill.running.sandboxed import CLONE_NEWNET, CLONE_NEWUSER

SECONDS = 15.0
"""Time limit for a program; for compilers it is ``_COMPILE_SECONDS``."""
MEGABYTES = 1_024
"""Memory limit for a program."""
_COMPILE_SECONDS = 120.0
_MAX_FILE_BYTES = 64 << 20
_JAVATUPLES = re.compile(r"\b(?:Unit|Pair|Triplet|Quartet|Quintet|Sextet|Septet|Octet|Ennead|Decade)\b")
"""The classes of a library that MultiPL-E's Java prompts import, although few of them use it."""

_TYPESCRIPT_SYNTAX = re.compile(r"error TS1\d{3}:")
"""A syntax error of tsc. Errors with other numbers are about types, some of them only because node's are missing."""
_MAX_OUTPUT_BYTES = 1 << 16
"""Maximum length of a program's output that is read."""


@dataclass(frozen=True)
class ToolChain:
    """How programs of a language are compiled and run."""

    name: str
    file: str
    """The name of the source file."""
    tools: tuple[str, ...]
    """The programs that must be in ``PATH``."""
    commands: tuple[tuple[str, ...], ...]
    """The commands, compilers first. The last one runs the program, which passes if the exit code is 0."""
    limits_memory_itself: bool = False
    """True if the runtime reserves more address space than it uses, so that the address space cannot be limited."""

    @property
    def missing(self) -> str:
        """The tools that are not installed, as "a and b"; "" if all are installed."""
        return " and ".join(tool for tool in self.tools if find_program(tool) is None)


CHAINS = {
    "py": ToolChain("Python", "", (), ()),  # runs in midfill.running.sandbox
    "js": ToolChain("JavaScript", "program.js", ("node",), (("node", "--max-old-space-size=512", "program.js"),), True),
    "ts": ToolChain(
        "TypeScript",
        "program.ts",
        ("tsc", "node"),
        # A program with wrong types can run, so tsc has to write it nevertheless.
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
"""The tool chains by MultiPL-E's names of the languages."""


def run_program(language: str, source: str) -> RunResult:
    """Compile a program, if the language needs that, and run it. It passes if its exit code is 0.

    Args:
        language: a key of ``CHAINS`` whose tools are installed.
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
    """Return whether a Java program uses the library of tuples, and this machine's class path does not have it."""
    imports, rest = "import org.javatuples", re.sub(r"(?m)^import .*$", "", source)
    return imports in source and _JAVATUPLES.search(rest) is not None and not _javatuples()


def _without_javatuples(source: str) -> str:
    return source if _javatuples() else re.sub(r"(?m)^import org\.javatuples.*$", "", source)


def _javatuples() -> bool:
    return "javatuples" in os.environ.get("CLASSPATH", "")


def _run(command: Sequence[str], folder: Path, *, compiling: bool, limit: bool) -> str:
    """Run a command; return why it failed, or "". A name without a folder is that of a program in ``PATH``."""
    seconds = _COMPILE_SECONDS if compiling else SECONDS
    environment = {name: os.environ[name] for name in ("PATH", "CLASSPATH", "RUSTUP_HOME") if name in os.environ}
    environment |= {**needed_environment(), "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder)}
    if "RUSTUP_HOME" not in environment and command[0] == "rustc":
        environment["RUSTUP_HOME"] = str(Path.home() / ".rustup")  # rustup's rustc looks for the compiler there
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (the commands are ours)
            [command[0] if os.sep in command[0] else find_program(command[0]) or command[0], *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_restrict(int(seconds), MEGABYTES << 20 if limit else None),  # noqa: PLW1509 (it takes no lock)
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"still {'compiling' if compiling else 'running'} after {seconds:g} s"
        finally:
            kill_group(process)
        if code == 0:
            return ""
        output.seek(0)
        text = output.read(_MAX_OUTPUT_BYTES).decode(errors="replace").strip()
    return text or f"ended with exit code {code}"


def _restrict(seconds: int, address_space: int | None) -> Callable[[], None] | None:
    """Return what the child process calls before it runs the program, to leave the network and to set limits."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 (Windows does not have it)

    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 2 * seconds,
        resource.RLIMIT_FSIZE: _MAX_FILE_BYTES,
    }
    if address_space:
        limits[resource.RLIMIT_AS] = address_space
    unshare = _unshare()

    def restrict() -> None:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        for which, limit in limits.items():
            resource.setrlimit(which, (limit, limit))

    return restrict


@functools.lru_cache(None)
def _unshare() -> Callable[[int], object]:
    """Return Linux's ``unshare``, looked up before the fork; on other systems, a function that does nothing."""
    return ctypes.CDLL(None).unshare if sys.platform == "linux" else lambda _: None
