"""`midfill complete --next-edit`: the file before, what is printed, and what is not read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.cli.running import Run, is_one_line
from unit.helpers import chain_graph, write_bundle

pytestmark = pytest.mark.usefixtures("own_folders")
OLD = "a = 1\nb = a\nc = a\n"
NEW = OLD.replace("a = 1", "first = 1")


@pytest.fixture
def files(own_folders: None) -> None:
    """Write a file as it was, and as it is."""
    Path("old.py").write_text(OLD, encoding="utf-8", newline="")
    Path("new.py").write_text(NEW, encoding="utf-8", newline="")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Write a bundle whose model likes nothing in particular, so that each guess is as good as another text."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass"), context_length=4_096).path


@pytest.mark.usefixtures("files")
def test_edit_is_printed_as_a_difference(bundle: Path, run: Run) -> None:
    """`git apply` takes it; why and how long are on stderr."""
    ran = run("complete", "new.py:1:6", "--next-edit", "old.py", "--bundle", bundle)
    assert (ran.code, ran.out) == (
        0,
        "--- a/new.py\n+++ b/new.py\n@@ -1,3 +1,3 @@\n first = 1\n-b = a\n-c = a\n+b = first\n+c = first\n",
    )
    assert "next edit (cursor); " in ran.err


@pytest.mark.usefixtures("files")
def test_edit_as_json(bundle: Path, run: Run) -> None:
    """Its parts have ranges as editors count."""
    ran = run("complete", "new.py:1:6", "--next-edit", "old.py", "--bundle", bundle, "--json")
    report = json.loads(ran.out)
    assert report["edits"] == [
        {"text": "first", "range": {"start": {"line": line, "column": 5}, "end": {"line": line, "column": 6}}}
        for line in (2, 3)
    ]
    assert (report["why"], report["reason"], report["tokens"]) == ("cursor", "", 0)


@pytest.mark.usefixtures("files")
def test_edit_is_explained(bundle: Path, run: Run) -> None:
    """With the exact prompt."""
    ran = run("complete", "new.py:1:6", "--next-edit", "old.py", "--bundle", bundle, "--explain")
    assert "(next edit, cursor)" in ran.out
    assert '<edit file="new.py">\n<original>\na = 1\n</original>' in ran.out


@pytest.mark.usefixtures("files")
def test_windows_line_ends_are_no_change(bundle: Path, run: Run) -> None:
    """A file that was checked out elsewhere is the same file."""
    Path("old.py").write_bytes(NEW.replace("\n", "\r\n").encode())
    ran = run("complete", "new.py:1:6", "--next-edit", "old.py", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "")
    assert "no edit (no-edits)" in ran.err


@pytest.mark.usefixtures("files")
def test_excluded_file_is_not_read(bundle: Path, run: Run) -> None:
    """The reason is printed."""
    Path(".midfillignore").write_text("new.py\n")
    ran = run("complete", "new.py:1:6", "--next-edit", "old.py", "--bundle", bundle)
    assert (ran.code, ran.out) == (0, "")
    assert "no edit (excluded)" in ran.err


@pytest.mark.usefixtures("files")
def test_file_before_that_cannot_be_read(bundle: Path, run: Run) -> None:
    """The message names it."""
    ran = run("complete", "new.py:1:6", "--next-edit", "none.py", "--bundle", bundle)
    assert is_one_line(ran, code=2)
    assert "none.py cannot be read" in ran.err
