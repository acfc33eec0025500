"""What a candidate can do in the sandbox, and what it cannot do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from midfill.running.sandbox import RunResult, run_python


def namespaces_allowed() -> bool:
    """Whether a program without privileges may make a network namespace; some Linux systems forbid it."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "--user", "--net", "true"], check=False).returncode == 0


POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such thing")


def run(source: str, seconds: float = 20, megabytes: int = 512) -> RunResult:
    """Run a candidate with limits that a healthy one never meets."""
    return run_python(source, seconds=seconds, megabytes=megabytes)


def test_pass() -> None:
    """A program that reaches its end passes, whatever it prints and imports."""
    source = "import collections, hashlib, math, random, re, typing\nprint('output')\nassert math.gcd(4, 6) == 2"
    assert run(source) == RunResult(passed=True, reason="")


def test_long_source() -> None:
    """A source longer than any command line passes; so do characters beyond ASCII."""
    assert run(f"text = {'é' * 3_000_000!r}\nassert len(text) == 3_000_000").passed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("assert 1 == 2, 'unequal'", "AssertionError: unequal"),
        ("def f(:", "SyntaxError: invalid syntax (candidate.py, line 1)"),
        ("exit_code = undefined", "NameError: name 'undefined' is not defined"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
        ("import os; os._exit(0)", "ended before its checks did, with exit code 0"),
    ],
)
def test_failure(source: str, reason: str) -> None:
    """Whatever ends a program before its end is a failure, and the reason; so is exiting with success."""
    assert run(source) == RunResult(passed=False, reason=reason)


@POSIX
def test_crash() -> None:
    """A crash of the interpreter is a failure."""
    assert run("import os; os.abort()").reason == "ended before its checks did, with exit code -6"


def test_output_is_no_verdict() -> None:
    """What a candidate writes, to whatever descriptor, does not pass for the secret token."""
    forgery = """
import os
for descriptor in range(20):
    try:
        os.write(descriptor, b"0" * 32)
    except OSError:
        pass
os._exit(0)
"""
    assert run(forgery) == RunResult(passed=False, reason="0" * 32)


def test_endless_loop() -> None:
    """A program that does not end is killed, with all that it started."""
    before = set(psutil.Process().children(recursive=True))
    assert run("while True: pass", seconds=1) == RunResult(passed=False, reason="still running after 1 s")
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds to the limit of address space")
def test_memory_bomb() -> None:
    """A program that wants more memory than it may have fails, and does not take it."""
    assert run("bomb = bytearray(4 << 30)").reason == "MemoryError: "
    assert run("bomb = []\nwhile True: bomb.append(bytearray(1 << 20))").reason == "MemoryError: "


@pytest.mark.enable_socket
def test_network() -> None:
    """A connection is refused even to a listener on this machine, which never hears of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        outcome = run(f"import socket; socket.create_connection({address!r}, timeout=5)")
        assert not outcome.passed
        assert outcome.reason.startswith("PermissionError: socket.")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.skipif(not namespaces_allowed(), reason="this system lets its users make no network namespace")
def test_network_namespace() -> None:
    """The network namespace is empty, too: its only interface is its own loopback."""
    ours = os.readlink("/proc/self/ns/net")
    outcome = run(
        "import os\n"
        f"assert os.readlink('/proc/self/ns/net') != {ours!r}\n"
        "assert [line.split(':')[0].strip() for line in open('/proc/self/net/dev') if ':' in line] == ['lo']"
    )
    assert outcome == RunResult(passed=True, reason="")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import os; os.fork()", marks=POSIX),
        pytest.param("import os; os.posix_spawn('/bin/true', ['true'], {})", marks=POSIX),
        pytest.param("import os; os.execv('/bin/true', ['true'])", marks=POSIX),
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import multiprocessing; multiprocessing.Process(target=print).start()",
        "import _posixsubprocess",
        "import os; os.kill(os.getppid(), 0)",
        "import ctypes; ctypes.CDLL(None).getpid()",
    ],
)
def test_processes(source: str) -> None:
    """Other processes can neither be started nor signalled, by any of the usual ways."""
    reason = run(source).reason
    assert reason.startswith("PermissionError: ")
    assert reason.endswith("refused here")


@pytest.mark.parametrize(
    "change",
    [
        "open({path!r}, 'w')",
        "open({path!r}, 'a')",
        "open({path!r}, 'r+')",
        "import os; os.open({path!r}, os.O_WRONLY)",
        "import pathlib; pathlib.Path({path!r}).write_text('changed')",
        "import os; os.symlink({path!r}, 'link')",
        "import os; os.remove({path!r})",
        "import os; os.rename({path!r}, 'moved')",
        "import os; os.truncate({path!r}, 0)",
        "import os; os.chmod({path!r}, 0)",
        "import shutil; shutil.move({path!r}, 'moved')",
    ],
)
def test_files_outside(change: str, tmp_path: Path) -> None:
    """No file outside can be changed, replaced or removed."""
    kept = tmp_path / "kept"
    kept.write_text("original")
    reason = run(change.format(path=str(kept))).reason
    assert reason.startswith("PermissionError: ")
    assert reason.endswith("refused here")
    assert kept.read_text() == "original"


def test_files_inside() -> None:
    """The candidate's folder is empty and may be written to."""
    assert run("import os; assert os.listdir() == []; open('f', 'w').write('x'); assert open('f').read() == 'x'").passed


@POSIX
def test_big_file() -> None:
    """A file of more than a megabyte is refused."""
    assert run("open('f', 'wb').write(bytes(1 << 21))").reason == "OSError: [Errno 27] File too large"


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A candidate does not see the user's environment, which may have secrets."""
    monkeypatch.setenv("API_KEY", "secret")
    assert run("import os; assert 'API_KEY' not in os.environ").passed


def test_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A candidate's files are removed, even if it was killed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("open('f', 'w').write('x')\nwhile True: pass", seconds=1)
    assert list(tmp_path.iterdir()) == []
