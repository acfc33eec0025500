"""Child processes, started in a folder that wants its own code to run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from midfill.client.server_process import SERVE
from midfill.common.child_programs import find_program, python_module
from midfill.retrieval.index import WorkspaceIndex
from waiting import wait_until

TRAP = "import pathlib; pathlib.Path(__file__).with_name('it-ran').touch(); raise SystemExit(99)\n"
MODULES = ("pip", "midfill", "huggingface_hub.cli.hf")
"""What our commands run; an environment need not have pip."""
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the current folder one whose files have the names of modules that children import."""
    for name in ("pip", "midfill", "runpy", "json", "numpy", "huggingface_hub", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(TRAP)
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip/__main__.py").write_text(TRAP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("module", [name for name in MODULES if find_spec(name)])
def test_modules_of_the_current_folder_do_not_run(hostile: Path, module: str) -> None:
    """Each of our commands runs the installed module, although the folder is also in this process's import path."""
    done = subprocess.run(python_module(module, "--help"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[-300:]) == (0, "")
    assert "usage" in done.stdout.lower()
    assert not list(hostile.rglob("it-ran"))


@pytest.mark.usefixtures("hostile")
def test_arguments_are_passed_on() -> None:
    """The module gets its arguments, whatever they contain."""
    command = python_module("timeit", "-n1", "-r1", "print(['a b', \"'\"])")
    assert "['a b', \"'\"]" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_server_in_a_hostile_folder(hostile: Path) -> None:
    """The server that the harness and the benchmark start ends as it should when its input ends."""
    done = subprocess.run(SERVE, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert done.returncode != 99
    assert not list(hostile.rglob("it-ran"))


def test_index_in_a_hostile_folder(hostile: Path) -> None:
    """The index's process imports its own modules."""
    index = WorkspaceIndex([hostile])
    try:
        wait_until(lambda: index.state.done, "the index")
        assert index.state.files > 0
    finally:
        index.close()
    assert not list(hostile.rglob("it-ran"))


def test_deleted_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command can be made in a folder that no longer exists."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert python_module("midfill")[0] == sys.executable


def test_programs_are_found_by_absolute_folders(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the current folder is not found, even where PATH has that folder as "", "." or a relative name."""
    for folder in (hostile, hostile / "bin", hostile / "good"):
        folder.mkdir(exist_ok=True)
        (folder / "tool").write_text("#!/bin/sh\n")
        (folder / "tool").chmod(0o755)
    (hostile / "good/plain").write_text("no program")
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "bin", str(hostile / "good")]))
    assert find_program("tool") == str(hostile / "good/tool")
    assert find_program("plain") is None
    assert find_program("none") is None


def test_programs_of_windows_have_endings(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are tried in the order of PATHEXT, in one folder after the other; the current one is none of them."""
    for name in ("tool.EXE", "good/tool.CMD", "good/tool.EXE"):
        (hostile / name).parent.mkdir(exist_ok=True)
        (hostile / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PATHEXT", ".COM;.EXE;.CMD")
    monkeypatch.setenv("PATH", str(hostile / "good"))
    assert find_program("tool") == str(hostile / "good/tool.EXE")


def _unisolated(file: Path) -> list[str]:
    """Return the places where a file of code names this interpreter in a command without isolation."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    commands = [node.elts for node in ast.walk(tree) if isinstance(node, (ast.List, ast.Tuple)) and node.elts]
    return [
        f"{file.relative_to(REPOSITORY)}:{first.lineno}"
        for first, *rest in commands
        if ast.unparse(first) == "sys.executable" and not (rest and ast.unparse(rest[0]) == "'-I'")
    ]


def test_every_child_interpreter_is_isolated() -> None:
    """No module but this one makes a command of this interpreter, unless the option -I follows."""
    files = [*(REPOSITORY / "server").rglob("*.py"), *(REPOSITORY / "export").rglob("*.py")]
    found = [place for file in files if file.name != "child_programs.py" for place in _unisolated(file)]
    assert len(files) > 100
    assert found == []
