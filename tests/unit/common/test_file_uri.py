"""Which file a URI names, by the rules of each system."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.common.file_uri import Flavour, file_in, paths_in, plain_uri

BOTH = (PurePosixPath, PureWindowsPath)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///work/a.py",
        "FILE:///work/a.py",
        "file:/work/a.py",
        "file://localhost/work/a.py",
        "file://LOCALHOST/work/a.py",
        "file:////work/a.py",
        "file:///w%6Frk/a%2epy",
        "file:///work/./a.py",
        "file:///work//a.py/",
        "file:///work%2Fa.py",
        "file:///work/a.py?version=2#L10",
    ],
)
def test_spellings_of_one_file(uri: str) -> None:
    """Scheme, host, escapes and slashes may differ."""
    assert file_in(uri, PurePosixPath) == PurePosixPath("/work/a.py")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b/c", "/a b/c"),
        ("file:///a b/c", "/a b/c"),
        ("file:///50%25/%23/%3F", "/50%/#/?"),
        ("file:///100%/c", "/100%/c"),
        ("file:///%zz/%4", "/%zz/%4"),
        ("file:///a;b=1,c@d:e", "/a;b=1,c@d:e"),
        ("file:///%C3%A9t%C3%A9/%F0%9F%9A%80.py", "/été/🚀.py"),
        ("file:///été/🚀.py", "/été/🚀.py"),
        ("file:///%FF.py", "/\udcff.py"),
        ("file:///a%5Cb", "/a\\b"),
        ("file:///c%3A/a", "/c:/a"),
        ("file:///work/../etc/%2e%2e/x", "/work/../etc/../x"),
        ("file:///", "/"),
    ],
)
def test_names_on_posix(uri: str, path: str) -> None:
    """Every character and every byte can be in a name; `..` stays, because only the disk knows where it leads."""
    assert file_in(uri, PurePosixPath) == PurePosixPath(path)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///c:/Work/a%20b.py",
        "file:///C:/Work/a%20b.py",
        "file:///c%3A/Work/a%20b.py",
        "file:///c%3a/Work/a%20b.py",
        "file:///c%3A%5CWork%5Ca%20b.py",
        "file:///c:\\Work\\a b.py",
        "file:///c|/Work/a%20b.py",
        "file://c:/Work/a%20b.py",
        "file:/c:/Work/a%20b.py",
        "file:c:/Work/a%20b.py",
        "file://localhost/c:/Work/a%20b.py",
    ],
)
def test_drives_on_windows(uri: str) -> None:
    """A drive is found however it is written."""
    file = file_in(uri, PureWindowsPath)
    assert file is not None
    assert (file.drive.lower(), file.parts[1:]) == ("c:", ("Work", "a b.py"))


@pytest.mark.parametrize(
    "uri",
    [
        "file://server/share/a.py",
        "file:////server/share/a.py",
        "file://///server/share/a.py",
        "file://server/share%5Ca.py",
        "file:\\\\server\\share\\a.py",
    ],
)
def test_shares_on_windows(uri: str) -> None:
    """A host is another machine; older programs write it into the path."""
    assert file_in(uri, PureWindowsPath) == PureWindowsPath(r"\\server\share\a.py")


def test_share_with_an_escape() -> None:
    """A host's name may have escapes, such as that of the Linux subsystem."""
    assert file_in("file://wsl%24/Debian/home", PureWindowsPath) == PureWindowsPath(r"\\wsl$\Debian\home")


@pytest.mark.parametrize("flavour", BOTH)
@pytest.mark.parametrize(
    "uri",
    [
        "", "file:", "file://", "file:a.py", "file://./a.py", "/work/a.py", "untitled:Untitled-1", "http://host/a.py",
        "vscode-notebook-cell:/work/a.ipynb#W0", "files:///a", "file:///a%00b", "file:///a\0b", "file:///\ud800",
        "file:///" + "a/" * 100_000, "file:///" + "%41" * 5_000,
    ],
)  # fmt: skip
def test_what_names_no_file(uri: str, flavour: Flavour) -> None:
    """Other schemes, relative paths, NUL, lone surrogates, and what is too long for a path."""
    assert file_in(uri, flavour) is None


@pytest.mark.parametrize("uri", ["file://server/share/a.py", "file://c:/a.py", "file://[broken/a.py"])
def test_other_machine_on_posix(uri: str) -> None:
    """Another host's file is not on this disk."""
    assert file_in(uri, PurePosixPath) is None


@pytest.mark.parametrize(
    "uri",
    ["file:///a.py", "file:///c:a.py", "file:///c:/.env::$DATA", "file:///c:/.env:x", "file://./pipe/x",
     "file://%3F/c:/a.py", "file:////./pipe/x", "file:////?/c:/a.py", "file:///c:/%FF.py"],
)  # fmt: skip
def test_what_names_no_file_on_windows(uri: str) -> None:
    """No drive, a device, a file's other stream (whose name no ignore rule would match), and bytes that are no text."""
    assert file_in(uri, PureWindowsPath) is None


@pytest.mark.parametrize(
    "path",
    [
        PurePosixPath("/été/50% #?;/🚀.py"),
        PurePosixPath("/\udcff"),
        PureWindowsPath("C:/50% #;/é.py"),
        PureWindowsPath(r"\\server\share\a b.py"),
    ],
)
@pytest.mark.filterwarnings("ignore:pathlib.PurePath.as_uri:DeprecationWarning")  # Python 3.14; it goes with 3.19
def test_uri_and_back(path: PurePath) -> None:
    """A path's own URI names it."""
    flavour: Flavour = PureWindowsPath if isinstance(path, PureWindowsPath) else PurePosixPath
    assert file_in(path.as_uri(), flavour) == path


@given(st.text() | st.from_regex(r"file:/{0,4}[a-z%:.|\\/]*", fullmatch=True), st.sampled_from(BOTH))
def test_any_text(uri: str, flavour: Flavour) -> None:
    """Any text has one of the two results."""
    file = file_in(uri, flavour)
    assert file is None or file.is_absolute()
    assert plain_uri(plain_uri(uri)) == plain_uri(uri) or "%" in uri


@pytest.mark.parametrize(
    ("uri", "plain"),
    [
        ("Untitled:Untitled-1", "untitled:Untitled-1"),
        ("vscode-notebook-cell:/c%3A/a%20b.ipynb#W0s%3D", "vscode-notebook-cell:/c:/a b.ipynb#W0s="),
        ("git:/a%2fb%3Fc%23d%25e?x", "git:/a%2Fb%3Fc%23d%25e?x"),
        ("untitled:%C3%A9", "untitled:é"),
        ("untitled:%FF", "untitled:%FF"),
        ("untitled:\ud800", "untitled:\ud800"),
        ("untitled:%0A%00", "untitled:%0A%00"),
        ("", ""),
    ],
)
def test_name_of_what_is_no_file(uri: str, plain: str) -> None:
    """Escapes are replaced unless that would change the meaning, or cannot be."""
    assert plain_uri(uri) == plain


@pytest.mark.parametrize(
    ("uri", "posix", "windows"),
    [
        ("untitled:/w/.env", "/w/.env", "w/.env"),
        ("untitled:.env", ".env", ".env"),
        ("untitled:Untitled-1", "Untitled-1", "Untitled-1"),
        ("untitled://Untitled-1", "Untitled-1", "Untitled-1"),
        ("UNTITLED:/c%3A/w/.env", "/c:/w/.env", "c:/w/.env"),
        ("git:/w/%2Eenv?%7B%22ref%22%3A%22~%22%7D", "/w/.env", "w/.env"),
        ("git:/w/.env?{[[", "/w/.env", "w/.env"),
        ("vscode-notebook-cell:/w/a.ipynb#W0sZmlsZQ%3D%3D", "/w/a.ipynb", "w/a.ipynb"),
        ("vscode-vfs://github/owner/name/.env", "/owner/name/.env", "owner/name/.env"),
        ("gitlens://7b22/w/.env?x#y", "/w/.env", "w/.env"),
        ("fugitive:///w/.git//0/a.py", "/w/.git/0/a.py", "w/.git/0/a.py"),
        ("file://host/w/.env", "/w/.env", "w/.env"),
        ("secret/.env", "secret/.env", "secret/.env"),
        ("x:/w/%FF\ud800", "/w/%FF\ud800", "w/%FF\ud800"),
    ],
)
def test_path_in_a_uri_of_any_scheme(uri: str, posix: str, windows: str) -> None:
    """The path is absolute if the system has such paths."""
    assert paths_in(uri, PurePosixPath) == [PurePosixPath(posix)]
    assert paths_in(uri, PureWindowsPath) == [PureWindowsPath(windows)]


def test_path_in_the_query() -> None:
    """VS Code's Git extension may put an ending after the path; the query has the real one."""
    uri = 'git:/w/.env.git?{"path":"/w/.env","ref":""}'
    assert paths_in(uri, PurePosixPath) == [PurePosixPath("/w/.env.git"), PurePosixPath("/w/.env")]
    assert paths_in(plain_uri(uri), PurePosixPath) == paths_in(uri, PurePosixPath)


@pytest.mark.parametrize(
    ("uri", "others"),
    [
        ("git:/w/.env~HEAD", ["/w/.env"]),
        ("x:/w/.env@v1", ["/w/.env"]),
        ("zipfile:///w/a.zip::.env", ["/w/a.zip", ".env"]),
        ("x:/w~/a@2/b.py", []),
        ("x:/" + "~" * 100_000 + "/a", []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_ending_after_the_path(uri: str, others: list[str]) -> None:
    """It tells a version, or what is within an archive; the path without it counts, too."""
    assert paths_in(uri, PurePosixPath)[1:] == [PurePosixPath(other) for other in others]


@pytest.mark.parametrize(
    "uri", ["", "untitled:", "scratch://", "x:?y=/w/.env", "x:/#/w/.env", 'x:?{"path":1}', "x:?" + "[" * 90_000]
)
def test_uri_without_a_path(uri: str) -> None:
    """There is nothing that a rule could be about."""
    assert paths_in(uri) == []


@given(st.text())
def test_any_text_has_paths_or_none(text: str) -> None:
    """Nothing that a client may send raises an error."""
    assert all(isinstance(path, PurePath) for flavour in BOTH for path in paths_in(text, flavour))
