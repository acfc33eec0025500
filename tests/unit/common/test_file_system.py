"""Facts about files and folders, also for paths that are unusable."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.common.file_system import relative_path, replace_file, repository_of, stamp_of


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


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return a new file and the file that it replaces."""
    (tmp_path / "new").write_text("new", encoding="utf-8")
    (tmp_path / "old").write_text("old", encoding="utf-8")
    return tmp_path / "new", tmp_path / "old"


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[float]]:
    """Return what makes a system refuse the first attempts to replace a file; it returns the waits between them."""
    replace = os.replace
    waits: list[float] = []

    def refuse(times: int) -> list[float]:
        attempts = iter(range(times))

        def attempt(source: Path, target: Path) -> None:
            if next(attempts, None) is not None:
                raise PermissionError(13, "Access is denied")
            replace(source, target)

        monkeypatch.setattr(os, "replace", attempt)
        monkeypatch.setattr(time, "sleep", waits.append)
        return waits

    return refuse


def test_file_is_replaced(files: tuple[Path, Path]) -> None:
    """The target has the new content, and the source is gone."""
    new, old = files
    replace_file(new, old)
    assert (new.exists(), old.read_text(encoding="utf-8")) == (False, "new")


def test_windows_is_asked_again(
    files: tuple[Path, Path], refuse: Callable[[int], list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader or a virus scanner has the file open for a moment."""
    monkeypatch.setattr(sys, "platform", "win32")
    waits = refuse(3)
    replace_file(*files)
    assert files[1].read_text(encoding="utf-8") == "new"
    assert waits == sorted(waits)
    assert len(waits) == 3


@pytest.mark.parametrize(("platform", "attempts"), [("win32", 5), ("linux", 1), ("darwin", 1)])
def test_refusal_that_lasts_is_an_error(
    files: tuple[Path, Path],
    refuse: Callable[[int], list[float]],
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    attempts: int,
) -> None:
    """Other systems refuse only what they will always refuse. The old file stays."""
    monkeypatch.setattr(sys, "platform", platform)
    waits = refuse(100)
    with pytest.raises(PermissionError):
        replace_file(*files)
    assert len(waits) == attempts - 1
    assert files[1].read_text(encoding="utf-8") == "old"
