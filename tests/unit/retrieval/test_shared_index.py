"""Servers that share an index: one process, what is on disk in common, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from midfill.retrieval.index import WorkspaceIndex
from midfill.retrieval.lookup import Candidate, LookupRequest
from midfill.sharing import CAN_SHARE
from waiting import LIMIT, wait_until

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason="servers share no index on this system yet")

Open = Callable[..., WorkspaceIndex]
SERVER = """
import sys, threading
from pathlib import Path
from midfill.retrieval.index import WorkspaceIndex
index = WorkspaceIndex([Path(sys.argv[1])], (), lambda state: state.done and print(index.pid, flush=True), shared=True)
threading.Event().wait()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with one file."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "a.py").write_text("def some_name(a): pass\n")
    return folder


@pytest.fixture
def server(workspace: Path) -> Iterator[subprocess.Popen[str]]:
    """Return another server of the workspace, whose first line is the process id of its index."""
    with subprocess.Popen([sys.executable, "-c", SERVER, workspace], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def open_index() -> Iterator[Open]:
    """Return a function that opens and builds the shared index of a folder; all are closed at the end."""
    opened: list[WorkspaceIndex] = []

    def open_it(folder: Path, *patterns: str) -> WorkspaceIndex:
        index = WorkspaceIndex([folder], patterns, shared=True)
        opened.append(index)
        wait_until(lambda: index.state.done, "the index")
        return index

    yield open_it
    for index in opened:
        index.close()


def ask(index: WorkspaceIndex, folder: Path, name: str = "some_name", text: str = "") -> list[Candidate]:
    """Look up a name for a file with ``text`` that uses it."""
    path = str(folder.resolve() / "asking.py")
    request = LookupRequest(path, "python", f"\n{name}(1)\n\n{text}", 2, (0, 3), (name,))
    return index.look_up(request).result(LIMIT)


def test_servers_of_a_workspace_have_one_index(
    workspace: Path, server: subprocess.Popen[str], open_index: Open
) -> None:
    """A file that one server reports as changed is changed for both."""
    assert server.stdout is not None
    process = int(server.stdout.readline())
    first, second = open_index(workspace), open_index(workspace)
    assert (first.pid, second.pid) == (process, process)
    assert ask(first, workspace) == ask(second, workspace) != []
    before = second.generation
    (workspace / "a.py").write_text("def new_name(a): pass\n")
    first.changed([workspace.resolve() / "a.py"])
    wait_until(lambda: second.generation > before, "the news")
    assert ask(second, workspace, "new_name")


def test_late_server_sees_what_nobody_reported(workspace: Path, open_index: Open) -> None:
    """The index looks for changes when a server comes."""
    open_index(workspace)
    (workspace / "b.py").write_text("def made_meanwhile(b): pass\n")
    late = open_index(workspace)
    wait_until(lambda: ask(late, workspace, "made_meanwhile"), "the new file")


def test_text_that_is_not_saved_is_nobody_elses(workspace: Path, open_index: Open) -> None:
    """It goes to the index with its own request, and is not kept."""
    first, second = open_index(workspace), open_index(workspace)
    unsaved = "def only_here(x):\n    return x\n" + "# filler\n" * 4
    assert first.pid == second.pid
    assert ask(first, workspace, "only_here", "\n" * 4 + unsaved)
    assert ask(second, workspace, "only_here") == []
    assert ask(first, workspace, "only_here") == []


@pytest.mark.parametrize(("folder", "patterns"), [("workspace", ["*.txt"]), (".", [])], ids=["exclusions", "folders"])
def test_servers_of_another_workspace_do_not_meet(
    folder: str, patterns: list[str], workspace: Path, open_index: Open
) -> None:
    """What one of them may see, another one may not."""
    own = open_index(workspace)
    assert open_index(workspace.parent / folder, *patterns).pid != own.pid


def test_servers_with_other_settings_of_git_do_not_meet(
    workspace: Path, open_index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files of ignore rules may be others."""
    own = open_index(workspace)
    monkeypatch.setenv("HOME", str(workspace.parent))
    assert open_index(workspace).pid != own.pid


def test_server_that_dies_or_stops_harms_nobody(
    workspace: Path, server: subprocess.Popen[str], open_index: Open
) -> None:
    """The others go on, and the process ends with the last one."""
    index = open_index(workspace)
    assert server.stdout is not None
    process = int(server.stdout.readline())
    assert index.pid == process
    os.kill(server.pid, signal.SIGSTOP)
    assert ask(index, workspace)
    server.kill()
    server.wait()
    assert ask(index, workspace)
    index.close()
    wait_until(lambda: not psutil.pid_exists(process), "the end of the index")


def test_index_ends_where_its_folder_is_gone(
    workspace: Path, short_path: Path, open_index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system removes it when the user logs out. Then nothing can be locked."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    index = open_index(workspace)
    process = index.pid
    (short_path / "midfill").rename(short_path / "gone")
    (short_path / "midfill").write_text("")
    index.close()
    wait_until(lambda: not psutil.pid_exists(process), "the end of the index")


def test_killed_index_comes_back_for_all(workspace: Path, open_index: Open) -> None:
    """And is one again."""
    both = [open_index(workspace), open_index(workspace)]
    killed = both[0].pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    for index in both:
        wait_until(lambda index=index: index.pid not in (None, killed), "a new index")  # type: ignore[misc]
        wait_until(lambda index=index: ask(index, workspace), "its files")  # type: ignore[misc]
    assert both[0].pid == both[1].pid


def test_server_without_a_safe_folder_has_its_own_index(
    workspace: Path, short_path: Path, open_index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its child, as if servers shared nothing."""
    (short_path / f"midfill-{os.geteuid()}").mkdir(mode=0o755)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    index = open_index(workspace)
    assert psutil.Process(index.pid).ppid() == os.getpid()
    assert "midfill.retrieval.worker" in psutil.Process(index.pid).cmdline()
    assert ask(index, workspace)
