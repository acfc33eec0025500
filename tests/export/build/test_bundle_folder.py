"""A bundle is made in scratch and takes its place only when it is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from midfill.common.errors import ExportError
from midfill_export.build.bundle_folder import folder_size, put_in_place, scratch_beside


def make_folder(path: Path, content: str) -> Path:
    """Make a folder with one file."""
    path.mkdir()
    (path / "file").write_text(content)
    return path


def test_scratch_is_removed(tmp_path: Path) -> None:
    """It is beside the bundle, on the same disk, and goes away with what is in it."""
    with scratch_beside(tmp_path / "new" / "out") as scratch:
        make_folder(scratch / "bundle", "half")
        assert scratch.parent == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    """An OSError becomes an ExportError that names the folder."""
    with pytest.raises(ExportError) as caught, scratch_beside(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert str(caught.value) == f"{tmp_path}: No space left on device; nothing was left behind."
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    """What a running process makes beside it stays, and so does what only looks like scratch."""
    kept = [f".out-{os.getpid()}-running", ".out-name-other", "out"]
    for name in [*kept, ".out-4194305-killed"]:
        (tmp_path / name).mkdir()
    with scratch_beside(tmp_path / "out"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_new_bundle_replaces_the_old_one(tmp_path: Path) -> None:
    """Afterwards only the new bundle is there."""
    out = make_folder(tmp_path / "out", "old")
    put_in_place(make_folder(tmp_path / "bundle", "new one"), out)
    assert (out / "file").read_text() == "new one"
    assert folder_size(out) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
