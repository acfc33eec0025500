"""The jail: a command sees the copy in the project's place, and can reach and change nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.running.jail import Jail, Outcome, _environments_of, can_run, jail_of
from midfill.running.project_copy import copy_project

needs_sandbox = pytest.mark.skipif(not can_run(), reason="this machine has no user namespaces")
HOSTILE = """\
import os, socket, subprocess
from pathlib import Path

def tried(name, what):
    try:
        print(name, what())
    except OSError as error:
        print(name, "refused")

tried("copy:", lambda: Path("here.txt").read_text())
tried("kept:", lambda: Path("venv/kept.txt").read_text())
tried("excluded:", lambda: Path("hidden.txt").read_text())
tried("write:", lambda: Path("made.txt").write_text("x"))
tried("outside:", lambda: Path({outside!r}).write_text("x"))
tried("kept, written:", lambda: Path("venv/made.txt").write_text("x"))
tried("home:", lambda: Path({home!r}, "made.txt").write_text("x"))
tried("temporary:", lambda: Path(os.environ["TMPDIR"], "made.txt").write_text("x"))
tried("network:", lambda: socket.create_connection(("127.0.0.1", {port}), 2))
tried("name:", lambda: socket.getaddrinfo("example.org", 80))
tried("socket:", lambda: socket.socket(socket.AF_UNIX).connect({pipe!r}))
tried("kill:", lambda: os.kill({pid}, 0))
print("mount:", subprocess.run(["mount", "-o", "remount,rw", "/"], capture_output=True).returncode != 0)
print("umount:", subprocess.run(["umount", "."], capture_output=True).returncode != 0)
print("environment:", "MIDFILL_TRAP" in os.environ)
"""
EXPECTED = """\
copy: as edited
kept: kept
excluded: refused
write: 1
outside: refused
kept, written: refused
home: refused
temporary: 1
network: refused
name: refused
socket: refused
kill: refused
mount: True
umount: True
environment: False
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with an environment and an excluded file."""
    folder = tmp_path.resolve() / "project"
    (folder / "venv").mkdir(parents=True)
    texts = {"here.txt": "here", "hidden.txt": "hidden", ".gitignore": "hidden.txt\n", "venv/kept.txt": "kept"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def jail(project: Path) -> Iterator[Jail]:
    """Make a jail with a copy of the project, in which one file has another text."""
    with jail_of(project) as made:
        opened = {str(project / "here.txt"): "as edited"}
        assert copy_project(made, IgnoreRules([project]), opened.get)
        yield made


def run(jail: Jail, program: str, *, seconds: int = 60, cancel: CancelFlag | None = None) -> Outcome:
    """Run a Python program in the jail."""
    command = [os.path.realpath(sys.executable), "-c", program]
    outcome = jail.run(command, seconds=seconds, megabytes=2048, cancel=cancel or CancelFlag())
    assert outcome is not None
    return outcome


@needs_sandbox
def test_nothing_but_the_copy_can_be_reached_or_changed(
    jail: Jail, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither files outside, nor the network, sockets, other processes, the environment or the sandbox itself."""
    monkeypatch.setenv("MIDFILL_TRAP", "1")
    outside = tmp_path / "trap.txt"
    program = HOSTILE.format(
        outside=str(outside), home=os.path.expanduser("~"), port=22, pipe=str(tmp_path / "pipe"), pid=os.getpid()
    )
    assert run(jail, program).output == EXPECTED
    assert not outside.exists()
    assert sorted(os.listdir(project)) == [".gitignore", "here.txt", "hidden.txt", "venv"]
    assert (project / "here.txt").read_text() == "here"


@needs_sandbox
def test_time_and_memory_are_limited_and_work_can_be_cancelled(jail: Jail) -> None:
    """Also for processes that leave their group."""
    endless = "import os, time\nos.fork() or os.setsid()\ntime.sleep(600)"
    assert run(jail, endless, seconds=1).code is None
    assert "MemoryError" in run(jail, "x = bytearray(3 << 30)").output
    cancelled = CancelFlag()
    cancelled.set("cancelled")
    with pytest.raises(Cancelled):
        run(jail, endless, cancel=cancelled)


def test_a_machine_without_a_sandbox_runs_nothing(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that makes it says so by its exit code."""
    monkeypatch.setattr("midfill.running.jail.PROGRAM", Path(__file__).with_name("no_sandbox.py"))
    command = [sys.executable, "-c", "open('ran', 'w')"]
    assert jail.run(command, seconds=20, megabytes=1024, cancel=CancelFlag()) is None
    assert not (jail.tree / "ran").exists()


def test_python_in_a_hidden_folder_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's Python may be a link to one for temporary use. No other folder is shown for the sake of a link."""
    monkeypatch.setattr("midfill.running.jail._TEMPORARY", (str(tmp_path),))
    base, other, project = tmp_path / "base", tmp_path / "other", tmp_path / "project"
    for folder in (base, other, project / "venv"):
        (folder / "bin").mkdir(parents=True)
    (base / "lib" / "python3.11").mkdir(parents=True)
    (base / "bin" / "python3").touch()
    (base / "bin" / "python").symlink_to("python3")
    (other / "bin" / "python").symlink_to("../../base/bin/python")
    program = project / "venv" / "bin" / "python"
    program.symlink_to(other / "bin" / "python")
    assert set(_environments_of(program, [project])) == {str(base)}


def test_a_project_that_is_an_environment_is_not_shown_over_its_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python's link may lead to the project itself, or to the folder around it: its files stay as they are."""
    monkeypatch.setattr("midfill.running.jail._TEMPORARY", (str(tmp_path),))
    around = tmp_path / "around"
    project = around / "project"
    for folder in (around, project, project / "venv"):
        (folder / "bin").mkdir(parents=True)
        (folder / "lib" / "python3.11").mkdir(parents=True)
    (around / "bin" / "python").touch()
    (project / "bin" / "python").symlink_to("../../bin/python")
    program = project / "venv" / "bin" / "python"
    program.symlink_to("../../bin/python")
    assert _environments_of(program, [project]) == []
