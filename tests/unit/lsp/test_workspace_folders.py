"""The folders of a workspace, as a client names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from midfill.lsp import workspace_folders
from midfill.lsp.workspace_folders import WorkspaceFolders
from unit.disks import see_windows

NAMES = ["plain", "a b", "50%", "100%25", "c#", "why?", "été", "🚀", "a;b=c&d"]


def opened(*uris: str, root_uri: str | None = None, root_path: str | None = None) -> WorkspaceFolders:
    """Return the folders of a client that names these."""
    folders = WorkspaceFolders()
    folders.open(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            root_uri=root_uri,
            root_path=root_path,
            workspace_folders=[types.WorkspaceFolder(uri, "folder") for uri in uris],
        )
    )
    return folders


def change(folders: WorkspaceFolders, *, added: str | None = None, removed: str | None = None) -> None:
    """Let the client add or remove a folder."""
    event = types.WorkspaceFoldersChangeEvent(
        added=[types.WorkspaceFolder(added, "")] if added else [],
        removed=[types.WorkspaceFolder(removed, "")] if removed else [],
    )
    folders.change(event)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["", "/", "//", "/."])
def test_names_of_folders(tmp_path: Path, name: str, end: str) -> None:
    """Any name is read once, and only once, and a slash at the end does not count."""
    folder = tmp_path / name
    folder.mkdir()
    folders = opened(folder.as_uri() + end)
    assert folders.paths == [folder]
    assert folders.uri_of(str(folder / "x y.py")).startswith(f"{folder.as_uri()}")
    change(folders, removed=folder.as_uri())
    assert folders.paths == []


def test_two_spellings_are_one_folder(tmp_path: Path) -> None:
    """A folder that is named twice counts once, and it goes when it is removed by another spelling."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    real, link = (tmp_path / "real").as_uri(), (tmp_path / "link").as_uri()
    folders = opened(real, link)
    change(folders, added=real.replace("real", "%72eal"))
    assert folders.paths == [tmp_path / "real"]
    change(folders, removed=link)
    assert folders.paths == []


def test_drives_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, a folder is added by one spelling of its drive and removed by another."""
    (tmp_path / "c/Work").mkdir(parents=True)
    see_windows(monkeypatch, workspace_folders, tmp_path)
    folders = opened("file:///c%3A/Work", "file:///C:/work/", "file://server/share/x", "file://SERVER/Share/x")
    assert list(map(str, folders.paths)) == [r"C:\Work", r"\\server\share\x"]
    change(folders, removed="file:///C%3A/WORK")
    assert list(map(str, folders.paths)) == [r"\\server\share\x"]


def test_several_and_nested_folders(tmp_path: Path) -> None:
    """All of them count, in the client's order; a file is named by the innermost one."""
    uris = [(tmp_path / name).as_uri() for name in ("b", "a", "a/in")]
    folders = opened(*uris)
    change(folders, added=(tmp_path / "c").as_uri())
    assert folders.paths == [tmp_path / name for name in ("b", "a", "a/in", "c")]
    assert folders.uri_of(str(tmp_path / "a/in/x.py")) == f"{uris[2]}/x.py"


def test_files_are_named_as_the_client_would(tmp_path: Path) -> None:
    """A file of a workspace that was opened by a link has the link in its URI; another one has its own."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folders = opened((tmp_path / "link").as_uri() + "/")
    assert folders.paths == [tmp_path / "real"]
    assert folders.uri_of(str(tmp_path / "real/a b#.py")) == (tmp_path / "link/a b#.py").as_uri()
    assert folders.uri_of(str(tmp_path / "other.py")) == (tmp_path / "other.py").as_uri()
    assert opened("file:///").uri_of("/a/b.py") == "file:///a/b.py"


@pytest.mark.parametrize("path", ["/a/b", None])
def test_root_of_older_clients(path: str | None) -> None:
    """A client without workspace folders has one root, as a URI or as a path."""
    assert opened(root_uri="file:///a/b/", root_path="/other").paths == [Path("/a/b")]
    assert opened(root_path="/a/b").paths == [Path("/a/b")]
    assert opened("file:///x", root_uri="file:///a").paths == [Path("/x")]
    assert opened().paths == []


@pytest.mark.parametrize(
    "uri", ["vscode-remote:/a", "file://[bad/a", "file:///%00", "file:///\ud800", "untitled:", "", "/a", "file:a"]
)
def test_what_is_no_folder_here(uri: str) -> None:
    """Folders on other machines, and URIs that name nothing, are left out."""
    assert opened(uri, "file:///a").paths == [Path("/a")]
    assert opened(root_uri=uri).paths == []


@pytest.mark.parametrize("path", ["", "a/b", "//x", "/\0", "/\ud800", "~"])
def test_roots_that_are_no_paths(path: str) -> None:
    """A root that cannot be a folder raises no error."""
    assert opened(root_path=path).paths in ([], [Path("/x")])
