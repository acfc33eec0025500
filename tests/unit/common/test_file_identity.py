"""One path for each file: with real links, with a file system that ignores case, and with Windows' spellings."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PureWindowsPath

import pytest

from midfill.common.file_identity import (
    Resolver,
    entries_and_files,
    resolve,
    resolve_entry,
)
from unit.disks import WindowsDisk

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Été.py") for form in ("NFC", "NFD"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a file, ``real/src/a.py``, and a link to the folder, ``link``."""
    (tmp_path / "real/src").mkdir(parents=True)
    (tmp_path / "real/src/a.py").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    return tmp_path


# Links


@pytest.mark.parametrize(
    "spelling",
    ["real/src/a.py", "link/src/a.py", "link/src/../src/./a.py", "link/../real//src/a.py", "link/src/b.py", "c.py"],
)
def test_links_and_steps(place: Path, spelling: str) -> None:
    """A link to a folder or a file, and `..`, lead to the one path."""
    (place / "real/src/b.py").symlink_to("a.py")
    (place / "c.py").symlink_to(place / "link/src/b.py")
    assert resolve(place / spelling) == place / "real/src/a.py"


def test_relative_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path from a command line begins at the working folder."""
    monkeypatch.chdir(place / "link")
    assert resolve("src/a.py") == resolve_entry(Path("src/a.py")) == place / "real/src/a.py"


def test_deleted_file(place: Path) -> None:
    """What no longer exists, or not yet, has the path that it would have; so does all of a deleted folder."""
    (place / "real/src/a.py").unlink()
    assert resolve(place / "link/src/a.py") == place / "real/src/a.py"
    (place / "real/src").rmdir()
    assert resolve(place / "link/src/a.py") == place / "real/src/a.py"


@pytest.mark.parametrize("name", ["\0", "/a\0b", "x" * 5_000, "/" + "y/" * 5_000, "/\ud800", ""])
def test_unusable_path(name: str) -> None:
    """There is an answer for any text, and it is its own identity."""
    assert resolve(resolve(name)) == resolve(name)
    assert resolve_entry(resolve_entry(name)) == resolve_entry(name)


def test_loops_and_long_chains_of_links_end(tmp_path: Path) -> None:
    """Links that lead nowhere, or through more links than the system follows, stay within their folder."""
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    (tmp_path / "0").touch()
    os.symlink("0", tmp_path / "1")
    for number in range(2, 1_500):
        os.symlink(str(number - 1), tmp_path / str(number))
    assert {resolve(tmp_path / name / "a.py").parent.parent for name in ("self", "one", "two")} == {tmp_path}
    assert resolve(tmp_path / "1499").parent == tmp_path


def test_name_in_a_folder(place: Path) -> None:
    """The name of a link is not followed, but its folder is; a path that ends with `..` has no name."""
    (place / "real/src/b.py").symlink_to("a.py")
    assert resolve_entry(place / "link/src/b.py") == place / "real/src/b.py"
    assert resolve_entry(place / "link/src/..") == place / "real"
    assert resolve_entry("/") == Path("/")


def test_what_a_change_is_about(place: Path) -> None:
    """A changed name is that name, and the file behind it if it is a link."""
    (place / "real/src/b.py").symlink_to("a.py")
    paths = [place / "link/src/b.py", place / "link/src/a.py", place / "link/src/.."]
    files = [str(place / "real" / name) for name in ("src/b.py", "src/a.py", "")]
    assert entries_and_files(paths) == [file.rstrip("/") for file in files]


# File systems that ignore case, or the form of Unicode


@pytest.mark.usefixtures("loose_disk")
@pytest.mark.parametrize("spelling", ["Src/Été.py", "SRC/ÉTÉ.PY", f"src/{DECOMPOSED}", f"sRC/{DECOMPOSED.lower()}"])
def test_case_and_form(tmp_path: Path, spelling: str) -> None:
    """Names are as the folder lists them, in each folder of the path."""
    (tmp_path / "Src").mkdir()
    (tmp_path / "Src" / COMPOSED).touch()
    assert resolve(tmp_path / spelling) == tmp_path / "Src" / COMPOSED
    assert resolve_entry(tmp_path / spelling) == tmp_path / "Src" / COMPOSED


@pytest.mark.usefixtures("loose_disk")
def test_link_in_another_case(tmp_path: Path) -> None:
    """A link is followed by any of its spellings."""
    (tmp_path / "Real").mkdir()
    (tmp_path / "Real/A.py").touch()
    (tmp_path / "Link").symlink_to("real")
    assert resolve(tmp_path / "LINK/a.PY") == tmp_path / "Real/A.py"


@pytest.mark.usefixtures("loose_disk")
def test_deleted_name_keeps_its_spelling(tmp_path: Path) -> None:
    """A file that was seen keeps its identity when it is gone; one that was not has the first spelling asked for."""
    for name in ("Seen.py", "Other.py"):
        (tmp_path / name).touch()
    assert resolve(tmp_path / "OTHER.py") == tmp_path / "Other.py"
    (tmp_path / "Seen.py").unlink()
    assert resolve(tmp_path / "seen.py") == resolve(tmp_path / "SEEN.py") == tmp_path / "Seen.py"
    assert resolve(tmp_path / "New.py") == resolve(tmp_path / "new.py") == tmp_path / "New.py"
    assert resolve(tmp_path / "Gone/New.py") == resolve(tmp_path / "gone/NEW.py") == tmp_path / "Gone/New.py"


@pytest.mark.usefixtures("loose_disk")
def test_renamed_to_another_case(tmp_path: Path) -> None:
    """The identity follows the folder; a change of the old name is about both names."""
    (tmp_path / "Old.py").touch()
    assert resolve(tmp_path / "old.py") == tmp_path / "Old.py"
    (tmp_path / "Old.py").rename(tmp_path / "old.py")
    assert resolve(tmp_path / "Old.py") == tmp_path / "old.py"
    assert entries_and_files([tmp_path / "Old.py"]) == [str(tmp_path / "Old.py"), str(tmp_path / "old.py")]


# Windows


@pytest.fixture
def windows(tmp_path: Path) -> Resolver:
    r"""Return a Windows machine with the files ``C:\Work\Été.py`` and ``\\server\share\A.py``."""
    (tmp_path / "c/Work").mkdir(parents=True)
    (tmp_path / "c/Work/Été.py").touch()
    (tmp_path / "server/share").mkdir(parents=True)
    (tmp_path / "server/share/A.py").touch()
    return Resolver(WindowsDisk(tmp_path), PureWindowsPath)


@pytest.mark.parametrize(
    "spelling",
    [
        r"C:\Work\Été.py",
        r"c:\work\ÉTÉ.PY",
        "c:/WORK/été.py",
        r"\\?\c:\Work\Été.py",
        r"\\?\C:\work\été.py",
    ],
)
def test_drives(windows: Resolver, spelling: str) -> None:
    """Case, slashes and the prefix for long paths do not matter."""
    assert windows.resolve(spelling) == r"C:\Work\Été.py"
    assert windows.entry(spelling) == r"C:\Work\Été.py"


@pytest.mark.parametrize(
    "spelling", [r"\\server\share\A.py", r"\\SERVER\Share\a.PY", "//Server/SHARE/a.py", r"\\?\UNC\Server\share\a.py"]
)
def test_shares(windows: Resolver, spelling: str) -> None:
    """A share is a root, as a drive is; its own name has no case."""
    assert windows.resolve(spelling) == r"\\server\share\A.py"


def test_long_and_missing_paths_on_windows(windows: Resolver) -> None:
    """A path of more than 260 characters, and one on a drive that is not there, have one spelling too."""
    long = "\\".join(["Folder"] * 60)
    assert windows.resolve(rf"\\?\c:\Work\{long}") == windows.resolve(rf"C:\work\{long}") == rf"C:\Work\{long}"
    assert windows.resolve(r"x:\A") == windows.resolve(r"\\?\X:\a") == r"X:\A"
    assert windows.ignores_case("c:/work")
