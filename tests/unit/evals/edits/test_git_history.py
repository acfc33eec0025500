"""The history of a real git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from midfill.common.errors import EvalError
from midfill.evals.edits import git_history
from midfill.evals.edits.git_history import changes_in
from midfill.evals.edits.hunks import FileChange


def git(folder: Path, *arguments: str) -> None:
    """Run git with a user of its own."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, "-C", str(folder), *arguments], check=True, capture_output=True)


def commit(folder: Path, **files: str) -> None:
    """Commit files, whose names have "_" for the dot."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8", newline="")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a first commit of two files."""
    folder = tmp_path / "some project"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, a_py="x = 1\n", b_py="y = 1\n")
    return folder


def brief(found: FileChange) -> tuple[str, str, str]:
    """Return what a test compares."""
    return found.path, found.before, found.after


def test_files_that_commits_modified(repository: Path) -> None:
    """The latest commit first; files that were added are no change."""
    commit(repository, a_py="x = 2\n", c_py="new\n")
    commit(repository, a_py="x = 3\r\n", b_py="y = 3\n")
    found = list(changes_in(repository))
    assert [brief(each) for each in found] == [
        ("a.py", "x = 2\n", "x = 3\n"),
        ("b.py", "y = 1\n", "y = 3\n"),
        ("a.py", "x = 1\n", "x = 2\n"),
    ]
    assert {each.project for each in found} == {"some project"}
    assert len({each.version for each in found}) == 2


def test_ignored_and_foreign_files_are_left_out(repository: Path) -> None:
    """An ignore rule of Midfill's hides a file's history, too."""
    commit(repository, a_py="x = 2\n", b_py="y = 2\n", c_bin="1")
    commit(repository, _midfillignore="a.py\n", c_bin="2")
    assert [each.path for each in changes_in(repository)] == ["b.py"]


def test_commit_of_many_files_is_left_out(repository: Path) -> None:
    """Nobody made it by hand."""
    names = [f"n{number}_py" for number in range(11)]
    commit(repository, **dict.fromkeys(names, "a\n"))
    commit(repository, **dict.fromkeys(names, "b\n"))
    assert list(changes_in(repository)) == []


def test_repository_that_starts_programs(repository: Path, tmp_path: Path) -> None:
    """A stranger's configuration names programs; none of them runs."""
    commit(repository, a_py="x = 2\n", _gitattributes="*.py diff=spy filter=spy\n")
    spy = f"touch '{tmp_path}/spied'; cat"
    for name in (
        "diff.spy.command",
        "diff.spy.textconv",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "filter.spy.smudge",
    ):
        git(repository, "config", name, spy)
    assert [brief(each) for each in changes_in(repository)] == [("a.py", "x = 1\n", "x = 2\n")]
    assert not (tmp_path / "spied").exists()


def test_folder_that_is_no_repository(tmp_path: Path) -> None:
    """One sentence says so."""
    (tmp_path / ".git").mkdir()
    with pytest.raises(EvalError, match="name a folder with a git repository that has commits"):
        list(changes_in(tmp_path))


def test_machine_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what to install."""
    monkeypatch.setattr(git_history, "find_program", lambda _: None)
    with pytest.raises(EvalError, match="git is needed"):
        list(changes_in(repository))
