"""The index's process with real files: built, updated, killed, and never blocking the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from midfill.retrieval.index import IndexState, WorkspaceIndex
from midfill.retrieval.lookup import Candidate, LookupRequest
from midfill.sharing import CAN_SHARE
from waiting import wait_until

Open = Callable[..., WorkspaceIndex]
shares = pytest.mark.skipif(not CAN_SHARE, reason="servers share no index on this system yet")


@pytest.fixture(params=[False, pytest.param(True, marks=[shares])], ids=["own", "shared"])
def shared(request: pytest.FixtureRequest) -> bool:
    """Say whether servers share an index."""
    return bool(request.param)


@pytest.fixture
def open_index(shared: bool) -> Iterator[Open]:
    """Return a function that opens and builds the index of a folder; all are closed at the end."""
    opened: list[WorkspaceIndex] = []

    def open_it(folder: Path, patterns: Sequence[str] = ()) -> WorkspaceIndex:
        index = WorkspaceIndex([folder], patterns, shared=shared)
        opened.append(index)
        wait_until(lambda: index.state.done)
        return index

    yield open_it
    for index in opened:
        index.close()


def _ask(index: WorkspaceIndex, name: str, folder: Path) -> list[Candidate]:
    """Look up the definition of ``name`` for a file that uses it."""
    request = LookupRequest(str(folder.resolve() / "asking.py"), "python", f"\n{name}(1)\n\n", 2, (0, 3), (name,))
    return index.look_up(request).result(timeout=30)


def _write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_built_and_kept_up_to_date(tmp_path: Path, open_index: Open) -> None:
    """Created, changed, renamed and deleted files and folders take effect once they are reported."""
    _write(tmp_path, {"a.py": "def first_name(a): pass\n", "sub/b.py": "def in_folder(b): pass\n"})
    index = open_index(tmp_path)
    assert _ask(index, "first_name", tmp_path)[0].text == "def first_name(a): pass"
    _write(tmp_path, {"a.py": "def second_name(a, b): pass\n", "c.py": "def third_name(): pass\n"})
    index.changed([tmp_path / "a.py", tmp_path / "c.py"])
    assert not _ask(index, "first_name", tmp_path)
    assert _ask(index, "second_name", tmp_path)[0].text == "def second_name(a, b): pass"
    assert _ask(index, "third_name", tmp_path)
    (tmp_path / "sub").rename(tmp_path / "moved")
    index.changed([tmp_path / "sub", tmp_path / "moved"])
    wait_until(lambda: {Path(c.path).parent.name for c in _ask(index, "in_folder", tmp_path)} == {"moved"})
    (tmp_path / "moved/b.py").unlink()
    index.changed([tmp_path / "moved/b.py"])
    assert not _ask(index, "in_folder", tmp_path)


def test_new_ignore_rules(tmp_path: Path, open_index: Open) -> None:
    """New rules apply to the next answer; once they are reported, the index changes, too."""
    _write(tmp_path, {"a.py": "def some_name(a): pass\n"})
    index = open_index(tmp_path)
    _write(tmp_path, {".midfillignore": "a.py"})
    assert not _ask(index, "some_name", tmp_path)
    index.changed([tmp_path / ".midfillignore"])
    wait_until(lambda: index.state.done and index.state.files == 1)
    (tmp_path / ".midfillignore").unlink()
    index.changed([tmp_path / ".midfillignore"])
    index.rescan()
    wait_until(lambda: _ask(index, "some_name", tmp_path))


def test_unusable_files_are_skipped(tmp_path: Path, open_index: Open) -> None:
    """Binary files, very long lines, loops, pipes and locked folders do not keep other files out of the index."""
    _write(
        tmp_path,
        {
            "good.py": "def good_one(a): pass\n", "binary.py": b"\x00\xff" * 1000, "line.js": "x" * 5_000_000,
            "latin.py": "def latin_one(): return 'é'\n".encode("latin-1"), "deep.py": "(" * 50_000, "empty.py": "",
            "nested.py": "".join(" " * n + "if x:\n" for n in range(500)), "locked/a.py": "def locked(): pass\n",
            "generated.py": "# @generated\ndef generated_one(): pass\n",
            "odd.py": "\ud800def x".encode("utf-8", "surrogatepass"),
        },
    )  # fmt: skip
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "locked").chmod(0)
    index = open_index(tmp_path)
    (tmp_path / "locked").chmod(0o755)
    assert _ask(index, "good_one", tmp_path)
    assert "é" in _ask(index, "latin_one", tmp_path)[0].text
    assert not _ask(index, "generated_one", tmp_path)


def test_vanished_file_in_an_answer(tmp_path: Path, open_index: Open) -> None:
    """When a file was deleted after it was indexed, only its own snippets are missing."""
    _write(tmp_path, {"a.py": "def vanishing(a): pass\n", "b.py": "def staying(b): pass\n"})
    index = open_index(tmp_path)
    (tmp_path / "a.py").unlink()
    assert not _ask(index, "vanishing", tmp_path)
    assert _ask(index, "staying", tmp_path)


def test_progress_and_stopping(tmp_path: Path) -> None:
    """Progress is reported while the index is built; after a stop the indexed files are still found."""
    _write(tmp_path, {f"{n}.py": f"def function_{n}(a): pass\n" * 200 for n in range(300)})
    states: list[IndexState] = []
    index = WorkspaceIndex([tmp_path], on_progress=states.append)
    try:
        wait_until(lambda: states)
        index.stop_building()
        wait_until(lambda: index.state.done)
        assert all(0 <= state.fraction <= 1 and state.files <= 300 for state in states)
        assert isinstance(_ask(index, "function_0", tmp_path), list)
    finally:
        index.close()


def test_restarted_once_then_without(tmp_path: Path, open_index: Open) -> None:
    """The first time the process is killed, it is restarted; the second time every answer is empty."""
    _write(tmp_path, {"a.py": "def some_name(a): pass\n"})
    index = open_index(tmp_path)
    first = index.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: index.pid not in (None, first))
    wait_until(lambda: _ask(index, "some_name", tmp_path))
    second = index.pid
    assert second is not None
    os.kill(second, signal.SIGKILL)
    wait_until(lambda: index.pid is None)
    assert _ask(index, "some_name", tmp_path) == []
    index.changed([tmp_path / "a.py"])
    wait_until(lambda: index.state.done)


def test_killed_during_requests(tmp_path: Path, open_index: Open) -> None:
    """Open requests are answered with an empty list."""
    _write(tmp_path, {"a.py": "def some_name(a): pass\n"})
    index = open_index(tmp_path)
    assert index.pid is not None
    os.kill(index.pid, signal.SIGSTOP)
    request = LookupRequest(str(tmp_path / "b.py"), "python", "x" * 300_000, 0, (0, 0), ("some_name",))
    waiting = [index.look_up(request) for _ in range(20)]  # more than a pipe can hold: a request never blocks
    os.kill(index.pid, signal.SIGKILL)
    assert [future.result(timeout=30) for future in waiting] == [[]] * 20


def test_closed(tmp_path: Path, open_index: Open) -> None:
    """The process has ended, a second close has no effect, and answers are empty."""
    index = open_index(tmp_path)
    pid = index.pid
    assert pid is not None
    index.close()
    index.close()
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the index")
    assert _ask(index, "x", tmp_path) == []


def test_closing_waits_for_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes an index is the event loop, and a process on a busy machine takes its time to die."""
    index = WorkspaceIndex([tmp_path])
    wait_until(lambda: index.state.done)
    waiting: list[threading.Thread] = []
    wait = subprocess.Popen.wait

    def note_who_waits(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        waiting.append(threading.current_thread())
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", note_who_waits)
    index.close()
    wait_until(lambda: waiting)
    assert threading.current_thread() not in waiting


def test_no_folder_needs_no_process() -> None:
    """Without a workspace folder no process is started."""
    index = WorkspaceIndex([])
    assert (index.pid, index.state.done) == (None, True)
    index.changed([Path("x")])
    index.close()


def test_ends_with_its_parent(tmp_path: Path, shared: bool) -> None:
    """When the only server is killed, the index's process ends, too."""
    script = (
        "import sys, threading; from pathlib import Path; from midfill.retrieval.index import WorkspaceIndex\n"
        "shared = sys.argv[2] == 'True'; said = lambda state: print(index.pid, flush=True) if state.done else None\n"
        "index = WorkspaceIndex([Path(sys.argv[1])], (), said, shared=shared); threading.Event().wait()"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(shared)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(timeout=30)
    assert not child.is_running()


def test_low_priority_and_no_side_effects(tmp_path: Path, open_index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has low priority, opens no connection, writes no file, and imports nothing from the working folder."""
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    _write(work, {"a.py": "def some_name(a): pass\n"})
    _write(elsewhere, {"json.py": "raise RuntimeError('the folder somebody works in is not imported from')"})
    monkeypatch.chdir(elsewhere)
    index = open_index(work)
    process = psutil.Process(index.pid)
    assert _ask(index, "some_name", work)
    assert process.nice() >= min(psutil.Process().nice() + 10, 19)
    assert process.net_connections() == []
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "elsewhere", "elsewhere/json.py", "work", "work/a.py",
    ]  # fmt: skip


def test_imports_nothing_heavy() -> None:
    """The index's process loads no model, no LSP and no network library."""
    script = (
        "import sys, midfill.retrieval.ranking, midfill.retrieval.worker, midfill.code.notebook_text\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "tree_sitter" in loaded
    assert not {"onnxruntime", "pygls", "lsprotocol", "torch", "tokenizers", "requests", "urllib3"} & set(loaded)
