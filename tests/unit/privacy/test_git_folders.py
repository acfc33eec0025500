"""Where a checkout's own exclusions are, whoever made the files that say so."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath

import pytest

from midfill.privacy import git_folders
from midfill.privacy.git_folders import exclusions_of


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_no_checkout(tmp_path: Path) -> None:
    """A folder without `.git` is none."""
    assert exclusions_of(str(tmp_path)) == []


def test_main_checkout(tmp_path: Path) -> None:
    """The file is in the folder `.git`."""
    (tmp_path / ".git").mkdir()
    assert exclusions_of(str(tmp_path))[0] == str(tmp_path / ".git/info/exclude")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_submodule(tmp_path: Path, end: str) -> None:
    """A relative folder counts from the one that names it."""
    _write(tmp_path / "sub/.git", f"gitdir: ../.git/modules/sub{end}")
    assert os.path.normpath(exclusions_of(str(tmp_path / "sub"))[0]) == str(tmp_path / ".git/modules/sub/info/exclude")


def test_linked_worktree(tmp_path: Path) -> None:
    """The exclusions are in the folder that all worktrees share."""
    _write(tmp_path / "tree/.git", f"gitdir: {tmp_path}/main/.git/worktrees/tree\n")
    _write(tmp_path / "main/.git/worktrees/tree/commondir", "../..\n")
    assert os.path.normpath(exclusions_of(str(tmp_path / "tree"))[0]) == str(tmp_path / "main/.git/info/exclude")


@pytest.mark.parametrize(
    "text",
    ["", "gitdir:", "gitdir: \n", "nothing", "gitdir: a\0b", "gitdir: " + "a/" * 3_000, "gitdir: " + "x" * 1_000_000],
    ids=lambda text: text[:12],
)
def test_file_that_names_no_folder(tmp_path: Path, text: str) -> None:
    """There are no exclusions then, and no error."""
    _write(tmp_path / ".git", text)
    assert exclusions_of(str(tmp_path)) == []


@pytest.mark.parametrize("folder", [r"\\host\share\repository", "//host/share", r"\\?\UNC\host\share", r"\\.\pipe\x"])
def test_nothing_is_asked_of_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Windows would send it the user's name and password."""
    _write(tmp_path / ".git", f"gitdir: {folder}\n")
    monkeypatch.setattr(git_folders, "PurePath", PureWindowsPath)
    assert exclusions_of(str(tmp_path)) == []


def test_chain_of_folders_ends(tmp_path: Path) -> None:
    """Only one `commondir` is followed, so a circle of them is none."""
    _write(tmp_path / ".git", "gitdir: one\n")
    _write(tmp_path / "one/commondir", "../two\n")
    _write(tmp_path / "two/commondir", "../one\n")
    assert os.path.normpath(exclusions_of(str(tmp_path))[0]) == str(tmp_path / "two/info/exclude")
