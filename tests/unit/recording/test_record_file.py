"""The file of a recorded session: bounded, the user's own, and not believed when it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midfill.common.errors import RecordError, UsageError
from midfill.recording.events import Asked, Full, Question, Replacement, Stopped, from_line, to_line
from midfill.recording.record_file import MAX_BYTES, RecordWriter, read_events

ASKED = Asked(
    question=Question(
        path="a.py",
        language="python",
        automatic=True,
        alternatives=1,
        offset=0,
        edit=Replacement(start=0, end=0, text="größe\n"),
    )
)
STOPPED = Stopped(reason="superseded")
FIRST = b'{"kind": "begun", "format": 1, "midfill": "0.3.0"}\n'


def written(path: Path, *, max_bytes: int = MAX_BYTES) -> RecordWriter:
    """Write a file of two events, and close it."""
    writer = RecordWriter(path, max_bytes)
    writer.write(ASKED)
    writer.write(STOPPED)
    writer.close()
    return writer


def changed(**values: Any) -> bytes:
    """Make the line of a question with other values."""
    line = json.loads(to_line(ASKED))
    line["question"] |= values
    return json.dumps(line).encode() + b"\n"


def test_events_come_back(tmp_path: Path) -> None:
    """Each event is read as it was written, with the number of its line."""
    written(tmp_path / "s.jsonl")
    assert list(read_events(tmp_path / "s.jsonl")) == [(2, ASKED), (3, STOPPED)]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """The next session with the same name gets a number, so that a crash stays recorded."""
    names = [written(tmp_path / "s.jsonl").path.name for _ in range(3)]
    assert names == ["s.jsonl", "s-2.jsonl", "s-3.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    """It has the user's code."""
    assert written(tmp_path / "s.jsonl").path.stat().st_mode & 0o777 == 0o600


def test_size_is_bounded(tmp_path: Path) -> None:
    """What does not fit is left out, with all that follows, and the last line says so."""
    written(tmp_path / "s.jsonl", max_bytes=len(FIRST) + len(to_line(ASKED)))
    assert list(read_events(tmp_path / "s.jsonl")) == [(2, ASKED), (3, Full())]


def test_writing_after_the_end_does_nothing(tmp_path: Path) -> None:
    """The server's worker may still have something to say when the file is closed."""
    written(tmp_path / "s.jsonl").write(STOPPED)
    assert len(list(read_events(tmp_path / "s.jsonl"))) == 2


def test_line_that_a_killed_server_left_is_no_damage(tmp_path: Path) -> None:
    """A last line without an end is left out."""
    file = written(tmp_path / "s.jsonl").path
    file.write_bytes(file.read_bytes() + to_line(STOPPED)[:-5])
    assert list(read_events(tmp_path / "s.jsonl")) == [(2, ASKED), (3, STOPPED)]


@pytest.mark.parametrize("name", ["no/such/folder", "nul\0"], ids=["folder", "NUL"])
def test_file_that_cannot_be_made_is_refused(tmp_path: Path, name: str) -> None:
    """The server says so and does not start, for nobody would look for the file later."""
    with pytest.raises(UsageError, match=r"^The session cannot be recorded in "):
        RecordWriter(tmp_path / name)


DAMAGED = {
    "no JSON": b"{\n",
    "no UTF-8": b'{"kind": "stopped", "reason": "\xff"}\n',
    "nested deeply": b"[" * 100_000 + b"\n",
    "a list": b"[]\n",
    "no kind": b"{}\n",
    "unknown kind": b'{"kind": "begin"}\n',
    "kind is a list": b'{"kind": []}\n',
    "too much": b'{"kind": "full", "more": 1}\n',
    "too little": b'{"kind": "stopped"}\n',
    "text is a number": changed(path=3),
    "number is a text": changed(offset="3"),
    "number is a truth": changed(offset=True),
    "number of many digits": changed(offset=0).replace(b'"offset": 0', b'"offset": ' + b"9" * 5000),
    "half a character": changed(edit={"start": 0, "end": 0, "text": "\ud83d"}),
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    """The error says which line it is, whatever stands there."""
    file = tmp_path / "s.jsonl"
    file.write_bytes(FIRST + to_line(ASKED) + line)
    with pytest.raises(RecordError, match=r"s\.jsonl is damaged at line 3: record the session again\.$"):
        list(read_events(file))


def test_score_must_be_a_number(tmp_path: Path) -> None:
    """JSON in Python has NaN, and no order of snippets has it."""
    line = to_line(STOPPED).replace(b'"stopped"', b'"answered"')
    with pytest.raises(ValueError, match="no event"):
        from_line(line.replace(b'"superseded"', b"NaN"))


def link_to_zeros(path: Path) -> None:
    """Make a link to an endless file."""
    path.symlink_to("/dev/zero")


FOREIGN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "no whole line": lambda path: path.write_bytes(FIRST[:-1]),
    "other text": lambda path: path.write_bytes(b"hello\n"),
    "another event": lambda path: path.write_bytes(to_line(STOPPED)),
    **({"a pipe": os.mkfifo, "endless": link_to_zeros} if os.name == "posix" else {}),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_file_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """What is no recorded session is named so, and nothing is waited for."""
    make(tmp_path / "s")
    with pytest.raises(RecordError, match=r"s is no session that Midfill has recorded: "):
        list(read_events(tmp_path / "s"))


def test_newer_file_is_refused(tmp_path: Path) -> None:
    """Its lines may mean something else."""
    file = tmp_path / "s.jsonl"
    file.write_bytes(b'{"kind": "begun", "format": 2, "midfill": "9.0\\u001b[2J"}\n')
    with pytest.raises(RecordError, match=r"was recorded by Midfill '9\.0\\x1b\[2J', a newer one: upgrade Midfill\.$"):
        list(read_events(file))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """The error is the system's, in words."""
    with pytest.raises(RecordError, match=r"nothing\.jsonl cannot be read: "):
        list(read_events(tmp_path / "nothing.jsonl"))


def test_overlarge_file_is_refused(tmp_path: Path) -> None:
    """Nothing is read of a file that is larger than a recorded one can be."""
    file = tmp_path / "s.jsonl"
    file.write_bytes(FIRST)
    os.truncate(file, 2 * MAX_BYTES + 1)
    with pytest.raises(RecordError, match="is larger than any recorded session"):
        list(read_events(file))
