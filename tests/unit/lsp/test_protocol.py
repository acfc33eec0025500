"""Documents over JSON as a client sends it: one document, whatever spelling of its URI a message has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from midfill.completion.types import Request
from unit.wire import Json, Wire, insertion, place, span

GHOST_TEXT: Json = {"textDocument": {"inlineCompletion": {}}}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the journal and the counts of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with a file, ``a b.py``, and a link to the folder beside it, ``link``."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a b.py").touch()
    (tmp_path / "link").symlink_to("work")
    return tmp_path / "work"


async def begun(**options: Any) -> Wire:
    """Begin a session."""
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT, {"workspaceTokens": 0, **options})
    return wire


def open_document(wire: Wire, uri: str, text: str) -> None:
    """Open a document."""
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    wire.notify("textDocument/didOpen", {"textDocument": document})


def insert(wire: Wire, uri: str, text: str) -> None:
    """Insert a text at the start of a document."""
    change = {"range": span((0, 0), (0, 0)), "text": text}
    wire.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]})


async def asked(wire: Wire, uri: str) -> list[Request]:
    """Ask for ghost text at the start of a document; return the requests so far."""
    params = {**place(0, 0, uri), "context": {"triggerKind": 2}}
    await wire.request("textDocument/inlineCompletion", params)
    requests: list[Request] = wire.scheduler.requests
    return requests


def spellings(work: Path) -> list[str]:
    """Return URIs of one file."""
    plain, by_link = (work / "a b.py").as_uri(), (work.parent / "link/a b.py").as_uri()
    return [plain, plain.replace("a%20b", "%61 b"), by_link, plain.replace("file", "FILE")]


@pytest.mark.parametrize("opened", range(4))
@pytest.mark.parametrize("other", range(4))
async def test_one_document(work: Path, opened: int, other: int) -> None:
    """It is opened by one spelling, and changed, asked about and closed by another; the path is the file's."""
    uris, wire = spellings(work), await begun()
    open_document(wire, uris[opened], "one")
    insert(wire, uris[other], "two ")
    [request] = await asked(wire, uris[other])
    assert (request.text, request.path) == ("two one", str(work / "a b.py"))
    assert len((await wire.request("textDocument/completion", place(0, 0, uris[other])))["result"]["items"]) == 1
    wire.notify("textDocument/didClose", {"textDocument": {"uri": uris[other]}})
    assert wire.scheduler.forgotten == [str(work / "a b.py")]
    assert len(await asked(wire, uris[opened])) == 2


async def test_file_opened_by_its_name_and_by_a_link(work: Path) -> None:
    """Each keeps its own text, and the file is forgotten when the second one is closed."""
    by_name, _, by_link, _ = spellings(work)
    wire = await begun()
    open_document(wire, by_name, "name")
    open_document(wire, by_link, "link")
    insert(wire, by_link, "a ")
    requests = await asked(wire, by_name) + await asked(wire, by_link)
    assert [(request.text, request.path) for request in requests[-2:]] == [
        ("name", str(work / "a b.py")),
        ("a link", str(work / "a b.py")),
    ]
    assert requests[-1].opened_as == str(work.parent / "link/a b.py")
    for uri in (by_name, by_link):
        assert wire.scheduler.forgotten == []
        wire.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert wire.scheduler.forgotten == [str(work / "a b.py")]


async def test_cell_by_another_spelling() -> None:
    """A notebook and its cells may be spelled in other ways too."""
    wire = await begun()
    cells = [f"vscode-notebook-cell:/c%3A/nb.ipynb#W{number}" for number in range(2)]
    notebook = {
        "uri": "file:///work/n%62.ipynb", "notebookType": "jupyter-notebook", "version": 1,
        "cells": [{"kind": 2, "document": cell} for cell in cells],
    }  # fmt: skip
    documents = [{"uri": cell, "languageId": "python", "version": 1, "text": f"x = {cell[-1]}"} for cell in cells]
    wire.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents})
    other = [cell.replace("%3A", ":") for cell in cells]
    edited = {"document": {"uri": other[0], "version": 2}, "changes": [{"text": "y = 0"}]}
    identity = {"uri": "file:///work/nb.ipynb", "version": 2}
    change = {"cells": {"textContent": [edited]}}
    wire.notify("notebookDocument/didChange", {"notebookDocument": identity, "change": change})
    [request] = await asked(wire, other[1])
    assert (request.text, request.path) == ("y = 0\n\nx = 1", "/work/nb.ipynb")
    identity["uri"] = "FILE:///work/nb.ipynb"
    closed = [{"uri": uri} for uri in other]
    wire.notify("notebookDocument/didClose", {"notebookDocument": identity, "cellTextDocuments": closed})
    assert len(wire.server.protocol.documents) == 0
    assert wire.scheduler.forgotten == ["/work/nb.ipynb"]


@pytest.mark.parametrize(
    "uri",
    ["file:///a\0b.py", "file:///a%00b.py", "file:///%zz.py", "file:///%FF.py", "file:///../../a.py", "file://[x/a.py",
     "file:///" + "a" * 300 + ".py", "file:///" + "a/" * 100_000, "file:", "", "untitled:Untitled-1", "a.py",
     "file://host/share/a.py", "file:///\ud800.py", "untitled:\udc00"],
)  # fmt: skip
async def test_odd_uris(uri: str, tmp_path: Path) -> None:
    """A document with any URI gets suggestions, changes, and is closed; no message shows an error."""
    wire = await begun()
    open_document(wire, uri, "one")
    insert(wire, uri, "two ")
    [request] = await asked(wire, uri)
    assert request.text == "two one"
    wire.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    wire.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})
    wire.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert len(wire.server.protocol.documents) == 0
    assert wire.shown() == []


@pytest.mark.parametrize(
    "root", [{"rootUri": "file://[x"}, {"rootPath": "//x", "rootUri": None}, {"rootUri": "file:///\0"}]
)
async def test_root_that_is_none(root: Json) -> None:
    """The session begins without a folder."""
    wire = Wire(insertion("x"))
    answer = await wire.request("initialize", {"processId": None, "capabilities": {}, "rootUri": None, **root})
    assert "capabilities" in answer["result"]


async def test_findings_and_edits_have_the_clients_spelling(work: Path) -> None:
    """A file that is open has the URI under which it was opened; another one that of its workspace folder."""
    link = work.parent / "link"
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT, {"workspaceTokens": 0}, workspace=link)
    open_document(wire, (link / "a b.py").as_uri(), "text")
    uri, document = wire.server.open_document(str(work / "a b.py"))
    assert (uri, document and document.text) == ((link / "a b.py").as_uri(), "text")
    assert wire.server.open_document(str(work / "test_a.py")) == ((link / "test_a.py").as_uri(), None)
    assert wire.server.current_text(str(work / "a b.py")) == "text"


async def test_settings_file_by_any_spelling(work: Path) -> None:
    """The workspace's and the user's own file are read again when they change, by a link or by their own names."""
    (work / "midfill.toml").write_text("maxLines = 2\n")
    wire = Wire(insertion("x"))
    await wire.initialize(GHOST_TEXT, {"workspaceTokens": 0}, workspace=work.parent / "link")
    assert wire.scheduler.settings.max_lines == 2
    for lines, folder in enumerate((work, work.parent / "link"), 3):
        (work / "midfill.toml").write_text(f"maxLines = {lines}\n")
        uri = (folder / "midfill.toml").as_uri().replace("midfill", "%6Didfill")
        wire.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        assert wire.scheduler.settings.max_lines == lines


async def test_own_settings_file_is_watched(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be named by a relative path, and it may be a link: then the file behind it is watched too."""
    (work / "own.toml").symlink_to("dotfile.toml")
    monkeypatch.chdir(work)
    monkeypatch.setenv("MIDFILL_CONFIG", "own.toml")
    wire = Wire(insertion("x"))
    watching = {"dynamicRegistration": True, "relativePatternSupport": True}
    await wire.initialize({"workspace": {"didChangeWatchedFiles": watching}})
    [asked] = wire.sent("client/registerCapability")
    [registration] = asked["registrations"]
    patterns = [watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"]]
    assert patterns == [
        "**/*",
        {"baseUri": work.as_uri(), "pattern": "own.toml"},
        {"baseUri": work.as_uri(), "pattern": "dotfile.toml"},
    ]


@pytest.mark.parametrize("diagnostics", ["(" * 5000, [{"message": "x"}] * 5000, {"a": 1}])
async def test_only_the_first_fault_is_looked_for(diagnostics: object) -> None:
    """A text where a list should be is no list of its letters, each with a fault of its own."""
    wire = await begun()
    params = {"textDocument": {"uri": "file:///a.py"}, "range": span((0, 0), (0, 0))}
    answer = await wire.request("textDocument/codeAction", {**params, "context": {"diagnostics": diagnostics}})
    assert answer["error"]["code"] == -32602
    converter = wire.server.protocol._converter
    with pytest.raises((KeyError, TypeError)):  # and not a group of 5,000
        converter.structure(diagnostics, list[types.Diagnostic])
