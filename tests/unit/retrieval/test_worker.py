"""When the index's process wakes: after messages only, and never by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from midfill.privacy.ignore_rules import IgnoreRules
from midfill.retrieval import ipc
from midfill.retrieval.worker import Client, Worker


@dataclass
class Clock:
    """Seconds that a test lets pass."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Process:
    """The index's process without its loop: the test handles messages and idles."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.said: list[ipc.Message] = []
        self.worker = Worker(IgnoreRules([folder]), self.clock)
        self.client = Client(self.said.append)
        self.handle({"do": "join"})

    def handle(self, message: ipc.Message) -> None:
        """Handle a message of the client."""
        self.worker.handle(self.client, message)

    def finish(self) -> int:
        """Idle as long as the process would without a message; return how often it did."""
        return sum(1 for _ in self._idling())

    def _idling(self) -> Iterator[None]:
        while (seconds := self.worker.wait_seconds()) is not None:
            self.clock.now += seconds
            self.worker.idle()
            yield

    def files(self) -> int:
        """Return the number of files that it reported last."""
        return int(self.said[-1]["files"])


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Return the process of a workspace with one file, after its first scan."""
    (tmp_path / "a.py").write_text("def first(): pass\n")
    made = Process(tmp_path)
    assert made.worker.wait_seconds() == 0
    assert made.finish() > 0
    return made


def test_idle_process_waits_without_limit(process: Process) -> None:
    """However long nothing comes, nothing is due: no timer wakes it."""
    assert process.worker.wait_seconds() is None
    assert process.files() == 1


def test_ranking_is_updated_in_a_pause(process: Process, tmp_path: Path) -> None:
    """After a change there is one thing to do in a pause, and then nothing."""
    (tmp_path / "a.py").write_text("def another_name(): pass\n")
    process.handle({"do": "changed", "paths": [str(tmp_path / "a.py")]})
    assert process.worker.wait_seconds() == 3.0
    assert process.finish() == 1
    assert process.worker.wait_seconds() is None


@pytest.mark.parametrize(("seconds", "files"), [(59.0, 1), (61.0, 2)])
def test_change_that_nobody_reported(process: Process, tmp_path: Path, seconds: float, files: int) -> None:
    """What events missed is found when somebody works and the last scan is a minute old."""
    (tmp_path / "b.py").write_text("def second(): pass\n")
    process.clock.now += seconds
    process.handle({"do": "changed", "paths": [str(tmp_path / "a.py")]})
    process.finish()
    assert process.files() == files


@pytest.mark.parametrize(("took", "pause"), [(0.1, 60.0), (2.0, 200.0), (90.0, 300.0)])
def test_long_scans_are_rare(process: Process, took: float, pause: float) -> None:
    """The next scan is the later, the longer the last one took, within limits."""
    process.worker.rescan()
    process.clock.now += took
    process.finish()
    process.clock.now += pause - 1.0
    assert process.worker.wait_seconds() is None
    process.clock.now += 1.0
    assert process.worker.wait_seconds() == 3.0


def test_stopped_scan_is_not_begun_again_at_once(process: Process) -> None:
    """After a stop there is nothing to do."""
    process.worker.rescan()
    process.handle({"do": "stop"})
    assert process.worker.wait_seconds() is None


def test_look_up_before_an_old_scan_is_answered_first(process: Process, tmp_path: Path) -> None:
    """A scan that is due begins in the next pause, and not before an answer."""
    process.clock.now += 1000.0
    process.handle({"do": "changed", "paths": []})
    assert not process.worker.is_scanning
    process.worker.idle()
    assert process.worker.is_scanning


@pytest.mark.timeout(60)
def test_it_ends_with_its_parent_while_it_reads_ignore_files() -> None:
    """Also before the first scan."""
    program = (
        "import sys, threading; from midfill.retrieval import worker;"
        " worker.IgnoreRules = lambda *_: (print('reading', flush=True), threading.Event().wait()); worker.main()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ipc.write(process.stdin, {"folders": [], "patterns": []})
        assert process.stdout.readline().strip() == b"reading"
        process.stdin.close()
        assert process.wait() == 0
