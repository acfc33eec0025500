"""The commit that is noted with a benchmark."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from midfill.bench.checkout import commit


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with one committed file, untouched by the user's own settings of git."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "code.py").write_text("x = 1\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "code.py"], [*identity, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_commit_of_a_tracked_file(checkout: Path) -> None:
    """Its abbreviated name, and whether anything was changed since."""
    head = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert commit(checkout / "code.py") == head.stdout[:12]
    (checkout / "code.py").write_text("x = 2\n")
    assert commit(checkout / "code.py") == f"{head.stdout[:12]}-dirty"


def test_other_projects_commit_is_not_ours(checkout: Path) -> None:
    """A package that is installed within a checkout is not a part of it."""
    (checkout / "installed.py").touch()
    assert commit(checkout / "installed.py") == ""


def test_no_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git there is no commit, and no error."""
    monkeypatch.setenv("PATH", str(checkout))
    assert commit(checkout / "code.py") == ""
