"""The commands of a Python project: its interpreter, its tests, and the command that a traceback tells of."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.common.child_programs import find_program
from midfill.common.file_system import is_within

_ENVIRONMENTS = (".venv", "venv", "env")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<file>[^\s:]+\.py)(?P<test>::\S+)?", re.MULTILINE)
_TEST_FRAME = re.compile(
    r"^(?P<file>[^\s:]+\.py):\d+: in (?P<test>test\w*)$|^(?P<other>[^\s:]+\.py):\d+: \w+", re.MULTILINE
)
_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line \d+, in (?P<name>\S+)')
NO_PYTEST = "No module named pytest"


@dataclass(frozen=True)
class Command:
    """A command, and its name for people."""

    words: tuple[str, ...]
    name: str


def interpreter_of(project: Path) -> str | None:
    """Return the interpreter of a project's virtual environment, or else the first one in ``PATH``."""
    for name in _ENVIRONMENTS:
        program = project / name / "bin" / "python"
        if os.access(program, os.X_OK):
            return str(program)
    return find_program("python3") or find_program("python")


def module_of(path: Path) -> tuple[str, Path]:
    """Return the name by which Python imports a file, with the packages that it is in, and the folder above them."""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while os.path.isfile(folder / "__init__.py") and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def pytest_command(python: str, tests: Sequence[str], report: str = "") -> Command:
    """Return the command that runs tests up to the first that fails.

    Args:
        python: the interpreter.
        tests: files, or tests as pytest names them.
        report: the file for pytest's report in XML; "" for none.
    """
    options = ("-q", "-x", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-W", "ignore")
    written = (f"--junitxml={report}",) if report else ()
    return Command((python, "-m", "pytest", *options, *written, *tests), f"pytest {' '.join(tests)}")


def failed_command(message: str, project: Path, python: str) -> Command | None:
    """Return the command whose failure a message reports: a test, or a script; None if it names none in the project."""
    if (failed := _FAILED.search(message)) and (file := _in_project(failed["file"], project)):
        return pytest_command(python, [f"{file}{failed['test'] or ''}"])
    for frame in _TEST_FRAME.finditer(message):
        if (file := _in_project(frame["file"] or frame["other"], project)) and Path(file).name.startswith("test"):
            return pytest_command(python, [f"{file}::{frame['test']}" if frame["test"] else file])
    frames = list(_FRAME.finditer(message))
    if frames and frames[0]["name"] == "<module>" and (file := _in_project(frames[0]["file"], project)):
        return Command((python, file), f"python {file}")
    for frame in frames:
        if frame["name"].startswith("test") and (file := _in_project(frame["file"], project)):
            return pytest_command(python, [f"{file}::{frame['name']}"])
    return None


def seconds_of(report: str) -> float:
    """Return how long the tests of a report in XML took; 0.0 if it does not tell."""
    return sum(map(float, re.findall(r'<testcase [^>]*\btime="(\d{1,9}(?:\.\d{1,9})?)"', report)))


def _in_project(name: str, project: Path) -> str:
    """Return the path of a file within the project; "" for one outside, or one that is not there."""
    path = Path(os.path.normpath(project / name))
    inside = is_within(path, project) and path != project and os.path.isfile(path)
    return path.relative_to(project).as_posix() if inside else ""
