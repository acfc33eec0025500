"""Where the user's ignore file for all repositories is; git itself is the judge."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PureWindowsPath

import pytest

from midfill.privacy import git_settings
from midfill.privacy.git_settings import personal_exclusions


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a user without any settings, and a repository in it."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "system"))
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "work")], check=True)
    return tmp_path


def _asked(home: Path) -> str | None:
    return personal_exclusions(str(home / "work/.git"))


def _told(home: Path) -> str | None:
    """Return what git says."""
    command = ["git", "-C", str(home / "work"), "config", "--path", "core.excludesFile"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.removesuffix("\n") or None


def test_without_a_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a usual place."""
    assert _asked(home) == str(home / ".config/git/ignore")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "x"))
    assert _asked(home) == str(home / "x/git/ignore")


@pytest.mark.parametrize(
    "text",
    [
        "[core]\n\texcludesFile = /a/b\n", "[CORE] EXCLUDESFILE=/a/b", "[core]\nexcludesfile = ~/a # comment\n",
        '[core]\n\texcludesFile = "/a b/#c" ; comment\n', "[core]\nexcludesFile=/a\nexcludesFile=/b\n",
        '[core "x"]\nexcludesFile=/a\n[core]\n\tother = 1\n\texcludesFile = /b\n', "[user]\nexcludesFile = /a\n",
        '[core]\n\texcludesFile = /a\\\\b\\"c\n', '[core]\nexcludesFile = "/a\\\\b"c\n',
        "[core]\r\nexcludesFile = /a\r\n",
        "# [core]\n", "", "[core]\n  # excludesFile = /a\n\texcludesFile = /é\n",
    ],
)  # fmt: skip
def test_setting_as_git_reads_it(home: Path, text: str) -> None:
    """Names ignore case; values have quotes, escapes and comments; the last one counts."""
    (home / ".gitconfig").write_bytes(text.encode())
    assert _asked(home) == (_told(home) or str(home / ".config/git/ignore"))


def test_order_of_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository's come after the user's, and these after the system's."""
    (home / ".config/git").mkdir(parents=True)
    files = ["system", ".config/git/config", ".gitconfig", "work/.git/config"]
    for number, file in enumerate(files):
        (home / file).write_text(f"[core]\n\texcludesFile = /{number}\n")
        assert _asked(home) == _told(home) == f"/{number}"
    (home / "work/.git/config").unlink()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "another"))
    assert _asked(home) == "/0"
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert _asked(home) == str(home / ".config/git/ignore")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["[core]\nexcludesFile =\n", "[core]\nexcludesFile = a/b\n"])
def test_no_file(home: Path, text: str) -> None:
    """An empty value turns it off, and a relative one would be another file in each folder."""
    (home / ".gitconfig").write_text(text)
    assert _asked(home) is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ['"', "\\", "[", "a", '\\"', "#"])
def test_settings_that_are_none(home: Path, piece: str) -> None:
    """They set nothing, and are read in bounded time."""
    (home / ".gitconfig").write_text(f"[core]\nexcludesFile = {piece * 60_000}\n")
    assert _asked(home) in (None, str(home / ".config/git/ignore"))
    (home / ".gitconfig").unlink()
    os.mkfifo(home / ".gitconfig")
    assert _asked(home) == str(home / ".config/git/ignore")


def test_repository_names_no_other_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows would send it the user's name and password; the user's own settings may."""
    monkeypatch.setattr(git_settings, "PurePath", PureWindowsPath)
    (home / "work/.git/config").write_text('[core]\nexcludesFile = "//host/share/x"\n')
    assert _asked(home) == str(home / ".config/git/ignore")
    (home / ".gitconfig").write_text('[core]\nexcludesFile = "//host/share/x"\n')
    assert _asked(home) == "//host/share/x"
