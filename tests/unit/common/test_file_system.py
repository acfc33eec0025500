"""Facts about files and folders, also for paths that are unusable."""

from __future__ import annotations

from pathlib import Path

from midfill.common.file_system import relative_path, repository_of, stamp_of


def test_stamp_differs_after_a_change(tmp_path: Path) -> None:
    """A file's stamp has its size; a missing file and an invalid path have none."""
    file = tmp_path / "a.py"
    file.write_text("x")
    before = stamp_of(str(file))
    file.write_text("xy")
    assert before is not None
    assert before[1] == 1
    assert stamp_of(str(file)) not in (None, before)
    assert (stamp_of(str(tmp_path / "missing")), stamp_of("\0")) == (None, None)


def test_repository_contains_its_folders(tmp_path: Path) -> None:
    """The repository is the nearest parent with a ``.git``."""
    (tmp_path / "work/.git").mkdir(parents=True)
    assert repository_of(tmp_path / "work/src/deep") == tmp_path / "work"
    assert repository_of(tmp_path / "work") == tmp_path / "work"
    assert repository_of(tmp_path) is None
    assert repository_of(tmp_path / ("long" * 100)) is None


def test_relative_path() -> None:
    """Within the folder it is the path from there; outside, or without a folder, it is the file's name. It is text."""
    assert relative_path(Path("/w/a/b.py"), Path("/w")) == "a/b.py"
    assert relative_path(Path("/x/b.py"), Path("/w")) == "b.py"
    assert relative_path(Path("/x/b.py"), None) == "b.py"
    assert relative_path(Path("/w/\udcff/b.py"), Path("/w")) == "?/b.py"
