"""`midfill complete`: the position, the file, and what is printed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from unit.cli.running import Run, is_one_line, midfill
from unit.helpers import chain_graph, write_bundle

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.mark.parametrize(
    "place",
    [
        *("", ":", "::", "code.py", "code.py:1", "code.py:1:", "code.py::1", ":1:1", "code.py:0:1", "code.py:1:0"),
        *("code.py:a:1", "code.py:1:b", "code.py:-1:1", "code.py:1.5:1", "code.py:1:1:", "code.py:²:1"),
        *("C:\\code.py:3", f"code.py:1:{'9' * 5000}"),
    ],
    ids=lambda place: place[:20] or "nothing",
)
def test_place_that_is_none(place: str, code: Path, run: Run) -> None:
    """A position is FILE:LINE:COL; line and column count from 1."""
    ran = run("complete", place)
    assert is_one_line(ran, code=2)
    assert "FILE:LINE:COL" in ran.err


@pytest.mark.parametrize(
    ("line", "column", "complaint"),
    [
        (5, 1, "has 4 lines; line 5 does not exist"),
        (999_999_999, 1, "line 999999999 does not exist"),
        (1, 11, "line 1 of {} has 9 characters; column 11 is past its end"),
        (3, 2, "line 3 of {} has 0 characters; column 2 is past its end"),
        (4, 2, "line 4 of {} has 0 characters; column 2 is past its end"),
    ],
)
def test_place_past_the_end(line: int, column: int, complaint: str, code: Path, run: Run) -> None:
    """The message says how many lines or characters there are."""
    ran = run("complete", f"{code}:{line}:{column}")
    assert is_one_line(ran, code=2)
    assert complaint.format(code) in ran.err


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("name", "why"), [("pipe", "not a regular file"), ("zero", "not a regular file"), ("big", "bytes")]
)
def test_file_that_never_ends(name: str, why: str, code: Path, run: Run) -> None:
    """A pipe, a link to a device, and a file of a terabyte are refused at once."""
    os.mkfifo("pipe")
    Path("zero").symlink_to("/dev/zero")
    with Path("big").open("wb") as file:
        file.truncate(1 << 40)
    ran = run("complete", f"{name}:1:1")
    assert is_one_line(ran, code=2)
    assert f"{name} cannot be read: " in ran.err
    assert why in ran.err


@pytest.mark.parametrize(
    "name", ["none.py", "no/such/folder/a.py", "C:\\code.py", "folder", "code.py/within", "a" * 300]
)
def test_file_that_cannot_be_read(name: str, code: Path, run: Run) -> None:
    """The error names the file and the system's reason; a colon of a Windows path is part of the file."""
    Path("folder").mkdir()
    ran = run("complete", f"{name}:1:1")
    assert is_one_line(ran, code=2)
    assert f"{Path(name)} cannot be read: " in ran.err


def test_byte_order_mark_is_no_column(run: Run) -> None:
    """Editors do not show it, and so it is not counted."""
    Path("bom.py").write_bytes("\ufeffab".encode())
    assert "line 1 of bom.py has 2 characters" in run("complete", "bom.py:1:4").err


def test_file_that_is_not_utf8(run: Run) -> None:
    """The message says at which byte."""
    Path("latin.py").write_bytes("a = 'é'\n".encode("latin-1"))
    ran = run("complete", "latin.py:1:1")
    assert is_one_line(ran, code=2)
    assert "latin.py is not UTF-8 (byte 5)" in ran.err


def test_binary_file(run: Run) -> None:
    """A binary file gives one line, too."""
    Path("a.bin").write_bytes(bytes(range(256)))
    assert is_one_line(run("complete", "a.bin:1:1"), code=2)


def test_completion_is_printed(bundle: Path, run: Run) -> None:
    """Only the suggestion is on stdout; tokens and times are on stderr."""
    Path("empty.py").touch()
    ran = run("complete", "empty.py:1:1", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "pass\n")
    assert ran.err.count("\n") == 1
    assert "tokens; 3 prompt tokens; milliseconds: " in ran.err


def test_completion_as_json(bundle: Path, run: Run) -> None:
    """The JSON has the text, its range as editors count, tokens and times."""
    Path("a.py").write_bytes(b"\n\n")
    ran = run("complete", "a.py:1:1", "--bundle", bundle, "--json")
    report = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert (report["text"], report["reason"], report["model"]) == ("pass", "", "tiny")
    assert report["range"] == {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 1}}
    assert report["tokens"] > 0
    assert report["prompt_tokens"] > 3
    assert list(report["milliseconds"]) == ["load", "context", "tokenize", "prefill", "decode"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("abc\n", "1:4"),
        ("é😀x\n", "1:4"),
        ("abc", "1:4"),
        ("a\r\nb\r\n", "2:2"),
        ("a\r\nb\r\n", "3:1"),
        ("\ufeffab", "1:3"),
    ],
    ids=["line's end", "wide characters", "no newline", "CRLF", "after CRLF", "byte order mark"],
)
def test_place_is_the_range_of_a_plain_insertion(content: str, place: str, bundle: Path, run: Run) -> None:
    """The range is where the cursor is, in the characters an editor shows; an empty answer has its reason."""
    Path("a.py").write_bytes(content.encode())
    ran = run("complete", f"a.py:{place}", "--bundle", bundle, "--json")
    report = json.loads(ran.out)
    line, column = map(int, place.split(":"))
    assert report["range"]["start"] == report["range"]["end"] == {"line": line, "column": column}
    assert (report["text"], report["reason"]) == ("", "blank")


def test_nothing_to_suggest_is_no_fault(bundle: Path, code: Path, run: Run) -> None:
    """Stdout is empty, stderr says why, and the command succeeds."""
    ran = run("complete", f"{code}:3:1", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("no suggestion (blank); ")


@pytest.mark.parametrize("name", ["with space.py", "mit:doppelpunkt.py", "a:1:2", "naïve 模型.py"])
def test_file_of_any_name(name: str, bundle: Path, run: Run) -> None:
    """Only the last two colons separate line and column from the file."""
    try:
        Path(name).touch()
    except OSError:
        pytest.skip("this system has no such names")
    assert run("complete", f"{name}:1:1", "--bundle", bundle).out == "pass\n"


def test_lines_of_a_windows_file_are_printed_with_plain_newlines(tmp_path: Path, run: Run) -> None:
    """The line ends of the system are not written twice."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("x\n   y")).path
    Path("a.py").write_bytes(b"\r\n")
    ran = run("complete", "a.py:1:1", "--bundle", folder)
    assert ran.out == "x\n   y\n"
    assert json.loads(run("complete", "a.py:1:1", "--bundle", folder, "--json").out)["text"] == "x\r\n   y"


def test_pipe_gets_utf_8(tmp_path: Path) -> None:
    """A system with an old code page does not make the command fail, and changes no character."""
    folder = write_bundle(tmp_path / "b", graph=chain_graph("naïve")).path
    Path("a.py").touch()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = midfill("complete", "a.py:1:1", "--bundle", folder, env=environment)
    assert (ran.returncode, ran.stdout) == (0, "naïve\n")
