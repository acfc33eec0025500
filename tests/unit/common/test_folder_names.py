"""How names are spelled in a folder, and what a folder ignores: with real files, also as other systems treat them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from midfill.common import folder_names
from midfill.common.file_identity import Resolver, ignores_case, resolve
from midfill.common.folder_names import Disk, loosely
from unit.disks import LooseDisk

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Été.py") for form in ("NFC", "NFD"))


def test_case_counts(tmp_path: Path) -> None:
    """On a file system where case counts, two cases are two files, even of one content (hard links)."""
    (tmp_path / "A.py").touch()
    os.link(tmp_path / "A.py", tmp_path / "a.PY")
    os.link(tmp_path / "A.py", tmp_path / "a.py")
    assert resolve(tmp_path / "a.py") == tmp_path / "a.py"
    assert resolve(tmp_path / "A.py") == tmp_path / "A.py"
    assert resolve(tmp_path / "A.PY") == tmp_path / "A.PY"
    assert not ignores_case(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/B.py").touch()
    assert resolve(tmp_path / "b/b.py") == tmp_path / "b/b.py"
    assert not ignores_case(tmp_path / "b")


def test_only_the_form_is_ignored(tmp_path: Path) -> None:
    """A file system may tell cases apart and yet ignore the form of Unicode."""
    resolver = Resolver(LooseDisk(lambda name: unicodedata.normalize("NFC", name)))
    (tmp_path / COMPOSED).touch()
    assert resolver.resolve(tmp_path / DECOMPOSED) == str(tmp_path / COMPOSED)
    assert resolver.resolve(tmp_path / COMPOSED.upper()) == str(tmp_path / COMPOSED.upper())
    assert not resolver.ignores_case(tmp_path)


def test_letters_with_two_capitals(tmp_path: Path) -> None:
    """Where `ß` and `ss` are two names, as on Windows, they are two files."""
    resolver = Resolver(LooseDisk(str.lower))
    for name in ("straße.py", "strasse.py"):
        (tmp_path / name).touch()
    assert resolver.resolve(tmp_path / "Straße.py") == str(tmp_path / "straße.py")
    assert resolver.resolve(tmp_path / "STRASSE.py") == str(tmp_path / "strasse.py")


@pytest.mark.parametrize("names", [(), ("1", "2"), ("a",)], ids=["empty", "without letters", "with letters"])
def test_whether_a_folder_ignores_case(tmp_path: Path, names: tuple[str, ...]) -> None:
    """A folder is asked by a name in it; one whose names cannot tell is like the folder above it."""
    (tmp_path / "folder").mkdir()
    for name in names:
        (tmp_path / "folder" / name).touch()
    assert Resolver(LooseDisk()).ignores_case(tmp_path / "folder")
    assert not Resolver().ignores_case(tmp_path / "folder")


def test_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    """Names in it stay as they are given."""

    class Closed(LooseDisk):
        def names(self, folder: str) -> frozenset[str]:
            return frozenset()

    (tmp_path / "A.py").touch()
    assert Resolver(Closed()).resolve(tmp_path / "a.py") == str(tmp_path / "a.py")


def test_known_folder_is_not_listed_again(tmp_path: Path) -> None:
    """A second look at the same place lists no folder, unless it has changed."""
    (tmp_path / "A.py").touch()
    os.utime(tmp_path, (1, 1))
    disk = LooseDisk()
    resolver = Resolver(disk)
    resolver.resolve(tmp_path / "a.py")
    assert resolver.resolve(tmp_path / "A.PY") == str(tmp_path / "A.py")
    assert disk.listed.count(str(tmp_path)) == 1
    (tmp_path / "B.py").touch()
    assert resolver.resolve(tmp_path / "b.py") == str(tmp_path / "B.py")
    assert disk.listed.count(str(tmp_path)) == 2


def test_changes_within_one_tick(tmp_path: Path) -> None:
    """A file system may tell times by seconds: a folder that has just changed is listed again."""
    resolver = Resolver(LooseDisk())
    (tmp_path / "A.py").touch()
    assert resolver.resolve(tmp_path / "a.py") == str(tmp_path / "A.py")
    before = tmp_path.stat().st_mtime_ns
    (tmp_path / "A.py").rename(tmp_path / "a.py")
    os.utime(tmp_path, ns=(before, before))
    assert resolver.resolve(tmp_path / "A.py") == str(tmp_path / "a.py")


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A client that names thousands of files that do not exist does not fill the memory."""
    (tmp_path / "A.py").touch()
    resolver = Resolver(LooseDisk())
    for number in range(3_000):
        resolver.resolve(tmp_path / f"new{number}.py")
    assert len(resolver._names._listings[str(tmp_path)].former) <= 1_024


def test_memory_of_large_folders_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository may have many folders with thousands of files each; the latest one is remembered in any case."""
    monkeypatch.setattr(folder_names, "_MAX_NAMES", 50)
    resolver = Resolver(LooseDisk())
    for folder, count in {"a": 20, "b": 20, "c": 20, "huge": 60}.items():
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"x{number}.py").touch()
        resolver.resolve(tmp_path / folder / "X0.py")
    kept = resolver._names._listings
    assert str(tmp_path / "huge") in kept
    assert sum(len(listing.names) for listing in kept.values()) <= 50 + 60


@pytest.mark.parametrize("path", ["\0", "missing/file", "x" * 10_000])
def test_disk_raises_nothing(path: str) -> None:
    """Each question has an answer for a path that is unusable."""
    disk = Disk()
    assert (disk.file_number(path), disk.stamp(path), disk.names(path)) == (None, None, frozenset())
    assert not disk.is_link(path)
    assert disk.real_path(path).endswith(path)


def test_loosely() -> None:
    """Case and form do not count, and letters do."""
    assert loosely(COMPOSED) == loosely(DECOMPOSED.upper()) != loosely("Ete.py")
