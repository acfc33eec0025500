"""Whatever the files in the cache folder hold, a session begins, and `midfill stats` and `why` say something."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill.completion.types import Completion, Request
from midfill.inference import thread_tuning
from midfill.inference.bundle import load_bundle
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.outcomes.counters import Counters
from midfill.outcomes.journal import Journal, journal_file
from midfill.session.session import Session
from unit.helpers import write_bundle

VERDICT = {
    "number": 1, "at": 1e9, "path": "a.py", "line": 1, "column": 1, "automatic": True, "reason": "", "characters": 1,
    "lines": 1, "model": "tiny", "prompt_tokens": 1, "reused_tokens": 0, "tokens": 1, "confidence": 0.5,
    "stopped_by": "", "changes": [["a", 1]], "parts": [], "milliseconds": {"a": 1.0}, "budget": "",
}  # fmt: skip
WRONG: list[object] = [
    None,
    True,
    -1,
    10**40,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "\x1b[2J\n",
    "9" * 5000,
    [],
    {},
    [[]],
    {"a": {}},
]
COUNTS = ["requests", "since", "shown at 3", "accepted at 3", "nothing: unsure", "nothing: \x1b[2J"]
FILES = ["statistics.json", "threads.json", "reading_speed.json", "verified.json", "journal.jsonl"]


def folder(file: Path) -> None:
    """Make a folder in a file's place."""
    file.mkdir()


def pipe(file: Path) -> None:
    """Make a pipe that nobody writes to or reads."""
    os.mkfifo(file)


def device(file: Path) -> None:
    """Make a link to what never ends."""
    file.symlink_to("/dev/zero")


def loop(file: Path) -> None:
    """Make a link to itself."""
    file.symlink_to(file.name)


def unreadable(file: Path) -> None:
    """Make a file without any permission; the superuser reads it all the same."""
    file.write_text("{}")
    file.chmod(0)


def containing(content: bytes) -> Callable[[Path], None]:
    """Return what makes a file with this content."""

    def make(file: Path) -> None:
        file.write_bytes(content)

    return make


KINDS: dict[str, Callable[[Path], None]] = {
    "folder": folder,
    "unreadable": unreadable,
    "empty": containing(b""),
    "binary": containing(bytes(range(256)) * 10),
    "line ends": containing(b"\n" * 1000),
    "deep list": containing(b"[" * 100_000),
    "deep object": containing(b'{"a":' * 100_000),
    "deep value": containing(b'{"since": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "long number": containing(b'{"since": ' + b"9" * 5000 + b"}"),
    "huge": containing(b'{"a": "' + b"a" * 3_000_000 + b'"}\n'),
}
if sys.platform != "win32":
    KINDS |= {"pipe": pipe, "device": device, "loop": loop}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Use a cache folder and settings of the test's own."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))
    return tmp_path


def use_everything(cache: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Read and write all files of the cache as a server and the commands do; return what was printed."""
    bundle = load_bundle(write_bundle(cache / "bundle").path)
    assert thread_tuning.chosen(bundle).number > 0
    speed = PrefillThroughput("key")
    speed.learn(1000, 1.0, 1.0)
    assert speed.tokens_per_second >= 1000
    Session([], {}, lambda _: None).close()
    statistics = Counters()
    statistics.count("shown")
    statistics.save()
    Journal(journal_file()).add(Request(text="", offset=0), Completion(text="", start=0, end=0))
    assert [main([command, *more]) for command in ("stats", "why") for more in ([], ["--json"])] == [0] * 4
    printed = capfd.readouterr()
    assert printed.err == ""
    return printed.out


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_file_stops_anything(cache: Path, file: str, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing waits, and nothing is read without end."""
    KINDS[kind](cache / file)
    assert use_everything(cache, capfd)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
def test_no_count_stops_anything(cache: Path, name: str, value: object, capfd: pytest.CaptureFixture[str]) -> None:
    """A count is a number that can be, and a reason is a word."""
    (cache / "statistics.json").write_text(json.dumps({name: value, "requests": 1, "shown at 5": 1000}))
    assert "\x1b" not in use_everything(cache, capfd)


@pytest.mark.parametrize("name", VERDICT)
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
def test_no_verdict_stops_anything(cache: Path, name: str, value: object, capfd: pytest.CaptureFixture[str]) -> None:
    """It is left out, or shown with what cannot be printed escaped."""
    (cache / "journal.jsonl").write_text(f"{json.dumps({**VERDICT, name: value})}\n")
    assert main(["why"]) == 0
    assert main(["why", "--last", "5", "--json"]) == 0
    printed = capfd.readouterr()
    assert ("\x1b" in printed.out, printed.err) == (False, "")
