"""Ignore files that a stranger made, as real files."""

from __future__ import annotations

import gc
import os
import socket
import sys
from pathlib import Path

import pytest

from midfill.privacy.ignore_patterns import PatternList
from midfill.privacy.ignore_rules import IgnoreRules

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def _allowed(folder: Path) -> list[str]:
    """Return the files that may contribute, asked in both ways."""
    rules = IgnoreRules([folder])
    walked = sorted(path.relative_to(rules.folders[0]).as_posix() for path in rules.walk())
    assert [name for name in walked if not rules.allows(folder / name)] == []
    return [name for name in walked if name.endswith(".py")]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have a hundred bytes only
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _terabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@POSIX
@pytest.mark.timeout(60)
@pytest.mark.enable_socket
@pytest.mark.parametrize("name", [".gitignore", ".midfillignore", ".git/info/exclude", ".git/commondir", ".git"])
@pytest.mark.parametrize("make", [_pipe, _link_to_a_device, _link_to_a_pipe, _socket, _loop, _folder])
def test_what_is_no_regular_file_has_no_rules(tmp_path: Path, name: str, make) -> None:  # type: ignore[no-untyped-def]
    """It is not opened; all else works."""
    (tmp_path / "a.py").touch()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    make(tmp_path / name)
    assert _allowed(tmp_path) == ["a.py"]


@POSIX
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", [".gitignore", ".midfillignore", ".git/info/exclude"])
def test_enormous_file_excludes_its_folder(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """It may exclude anything, and it is not read; the log says so, once."""
    (tmp_path / "top.py").touch()
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "sub/deep/a.py").touch()
    (tmp_path / "sub" / name).parent.mkdir(parents=True, exist_ok=True)
    _terabyte(tmp_path / "sub" / name)
    assert _allowed(tmp_path) == ["top.py"]
    assert [record.message.split(" are ")[0] for record in caplog.records] == [f"All files in {tmp_path / 'sub'}"]


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_excludes_its_folder(tmp_path: Path) -> None:
    """Until it can be read."""
    (tmp_path / "a.py").touch()
    (tmp_path / ".gitignore").write_text("b.py")
    (tmp_path / ".gitignore").chmod(0)
    assert _allowed(tmp_path) == []
    (tmp_path / ".gitignore").chmod(0o600)
    assert _allowed(tmp_path) == ["a.py"]


def test_files_that_are_too_much_together_exclude_their_folder(tmp_path: Path) -> None:
    """Each of them may be as large, but a folder below two of them would need both."""
    rules = "".join(f"name-{number}\n" for number in range(14_000))
    for folder in (tmp_path, tmp_path / "one", tmp_path / "one/two"):
        folder.mkdir(exist_ok=True)
        (folder / "a.py").touch()
        (folder / ".gitignore").write_text(rules)
    assert _allowed(tmp_path) == ["a.py"]


@pytest.mark.timeout(60)
def test_many_wildcards_exclude_their_folder(tmp_path: Path) -> None:
    """Matching them would take long for each file."""
    (tmp_path / "a.py").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.py").touch()
    (tmp_path / "sub/.gitignore").write_text("".join(f"*a*b{number}\n" for number in range(3_000)))
    assert _allowed(tmp_path) == ["a.py"]


@pytest.mark.timeout(60)
def test_many_wildcards_in_many_folders(tmp_path: Path) -> None:
    """Below a folder that is excluded as a whole, no further ignore file is read."""
    here = tmp_path
    for _ in range(100):
        here = here / "d"
        here.mkdir()
        (here / ".gitignore").write_text("".join(f"*a*b{number}\n" for number in range(3_000)))
    assert not IgnoreRules([tmp_path]).allows(here / "a.py")


def test_memory_of_many_files(tmp_path: Path) -> None:
    """Of a repository with many large ignore files, only some are remembered."""
    lines = "".join(f"{number}\n" for number in range(20_000))
    for number in range(25):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / ".gitignore").write_text(lines)
    rules = IgnoreRules([tmp_path])
    before = _pattern_lists()
    assert len(list(rules.walk())) == 25
    assert 0 < _pattern_lists() - before < 20


def _pattern_lists() -> int:
    """Return how many lists of patterns are in memory."""
    gc.collect()
    return sum(
        type(each) is PatternList for each in gc.get_objects()
    )  # a proxy may warn when it is asked for its class


def test_many_plain_names_are_fine(tmp_path: Path) -> None:
    """Names, paths, and ends of names are looked up."""
    (tmp_path / "a.py").touch()
    (tmp_path / "name6999").touch()
    lines = [f"name{number}\n/b/c{number}\n*.x{number}\n" for number in range(7_000)]
    (tmp_path / ".gitignore").write_text("".join(lines))
    assert _allowed(tmp_path) == ["a.py"]


@POSIX
def test_links_to_ignore_files(tmp_path: Path) -> None:
    """Git reads no .gitignore through a link; a .midfillignore may be shared by several projects."""
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / "work" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "work" / name).touch()
    (tmp_path / "shared-a").write_text("a.py")
    (tmp_path / "shared-b").write_text("b.py")
    (tmp_path / "work/.gitignore").symlink_to("../shared-a")
    (tmp_path / "work/.midfillignore").symlink_to("../shared-b")
    assert _allowed(tmp_path / "work") == ["a.py", "c.py"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pattern", ["*a" * 14 + "*b", "**/a/" * 12 + "x", "a*" * 14 + "[b]", "**/*a/" * 12 + "x"])
@pytest.mark.parametrize("place", [".gitignore", ".midfillignore", "exclude"])
def test_patterns_with_many_stars(tmp_path: Path, pattern: str, place: str) -> None:
    """They take no longer than others, whether they come from a file or from the settings."""
    folder = tmp_path.joinpath(*["a"] * 40)
    folder.mkdir(parents=True)
    (folder / ("a" * 200)).touch()
    (tmp_path / place).write_text(pattern)
    rules = IgnoreRules([tmp_path], [pattern])
    assert rules.allows(folder / ("a" * 200))
    assert folder.resolve() / ("a" * 200) in set(rules.walk())


@pytest.mark.timeout(120)
def test_deep_folders(tmp_path: Path) -> None:
    """A walk takes as long as there are folders, not as the square of it."""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(800):
        os.mkdir("d", dir_fd=here)
        here, above = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(os.open("x.py", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert [path.name for path in IgnoreRules([tmp_path]).walk()] == ["x.py"]
