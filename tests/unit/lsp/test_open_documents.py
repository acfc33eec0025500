"""Open documents, by any spelling of their URIs."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common import file_identity
from midfill.common.file_identity import Resolver
from midfill.lsp import open_documents
from midfill.lsp.open_documents import DocumentName, OpenDocuments
from midfill.lsp.text_document import Document
from unit.disks import LooseDisk, see_windows


def document(text: str) -> Document:
    """Return a document."""
    return Document(text, language="python", encoding="utf-16")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with the file ``a b.py`` and a link to it, ``link.py``; beside it is a link to the folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a b.py").touch()
    (folder / "link.py").symlink_to("a b.py")
    (tmp_path / "link").symlink_to(folder)
    return folder


def spellings(work: Path) -> list[str]:
    """Return URIs of one file."""
    plain = (work / "a b.py").as_uri()
    return [
        plain,
        plain.replace("%20", " "),
        plain.replace("a%20b", "%61%20%62"),
        plain.replace("file://", "FILE://localhost"),
        plain.replace("/work/", "/work/../link/./"),
        (work.parent / "link/link.py").as_uri(),
    ]


@pytest.mark.parametrize("opened", range(6))
@pytest.mark.parametrize("asked", range(6))
def test_found_by_any_spelling(work: Path, opened: int, asked: int) -> None:
    """The client's first spelling is the document's name; a change and the end may come by another one."""
    uris, documents = spellings(work), OpenDocuments()
    documents.open(uris[opened], document("one"))
    assert documents.uri(uris[asked]) == uris[opened]
    documents.replace(uris[asked], document("two"))
    assert documents[uris[opened]].text == documents[uris[asked]].text == "two"
    assert documents.name(uris[asked]).path == str(work / "a b.py")
    documents.close(uris[asked])
    assert len(documents) == 0
    assert uris[opened] not in documents


WINDOWS_URIS = [
    "file:///c%3A/Work/a%20b.py",
    "file:///c:/Work/a%20b.py",
    "file:///C:/work/A B.PY",
    "file:///C%3a/Work/a%20b.py",
    "file:///c|/Work/a%20b.py",
    "file://localhost/C:/Work/../work/a%20b.py",
]


@pytest.mark.parametrize("opened", range(6))
def test_found_by_any_spelling_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: int) -> None:
    """Editors write a drive in several ways; case does not count."""
    (tmp_path / "c/Work").mkdir(parents=True)
    (tmp_path / "c/Work/a b.py").touch()
    see_windows(monkeypatch, open_documents, tmp_path)
    documents = OpenDocuments()
    documents.open(WINDOWS_URIS[opened], document(""))
    assert {documents.uri(uri) for uri in WINDOWS_URIS} == {WINDOWS_URIS[opened]}
    assert {documents.name(uri).path for uri in WINDOWS_URIS} == {r"C:\Work\a b.py"}


def test_file_opened_under_two_names(work: Path) -> None:
    """Two documents of one file keep their own texts; a third spelling means the one that was opened last."""
    first, *_, link = spellings(work)
    documents = OpenDocuments()
    documents.open(first, document("by name"))
    documents.open(link, document("by link"))
    assert (documents[first].text, documents[link].text) == ("by name", "by link")
    assert documents.get((work / "link.py").as_uri()) is documents[link]
    assert documents.at(str(work / "a b.py")) == documents.name(link)
    assert not documents.is_only_one(documents.name(first))
    documents.close(link)
    assert documents.is_only_one(documents.name(first))
    assert documents[link].text == "by name"


def test_name_of_a_link(work: Path) -> None:
    """The path is the file's; the name under which it was opened is kept, because a rule may exclude that."""
    uri = (work / "link.py").as_uri()
    assert DocumentName.of(uri) == DocumentName(uri, str(work / "a b.py"), str(work / "link.py"))
    plain = (work / "a b.py").as_uri()
    assert DocumentName.of(plain) == DocumentName(plain, str(work / "a b.py"), "")


def test_document_keeps_its_path_while_it_is_open(work: Path) -> None:
    """It is the same when the file or the link was deleted meanwhile, and so it is forgotten by the same path."""
    uri = (work / "link.py").as_uri()
    documents = OpenDocuments()
    documents.open(uri, document(""))
    (work / "link.py").unlink()
    assert documents.name(uri).path == str(work / "a b.py")
    (work / "a b.py").unlink()
    assert documents.uri((work / "a b.py").as_uri()) == uri


@pytest.mark.parametrize(
    ("opened", "asked"),
    [
        ("untitled:Untitled-1", "Untitled:Untitled%2D1"),
        ("vscode-notebook-cell:/c%3A/a%20b.ipynb#W0s%3D", "vscode-notebook-cell:/c:/a b.ipynb#W0s="),
        ("file:///a%00b.py", "file:///a%00b.py"),
        ("file:///\ud800.py", "file:///\ud800.py"),
        ("", ""),
    ],
)
def test_document_that_is_no_file(opened: str, asked: str) -> None:
    """It is found by its URI, whose escapes do not matter, and has no other path."""
    documents = OpenDocuments()
    documents.open(opened, document(""))
    assert documents.uri(asked) == opened
    assert documents.name(asked).opened_as == ""
    assert documents.uri("untitled:Untitled-2") not in documents


def test_disk_is_asked_once_for_a_spelling(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is typed costs no look at the disk, whichever spelling the client uses."""

    class Counting(LooseDisk):
        asked = 0

        def real_path(self, path: str) -> str:
            Counting.asked += 1
            return super().real_path(path)

    monkeypatch.setattr(file_identity, "_resolver", Resolver(Counting()))
    opened, other, *_ = spellings(work)
    documents = OpenDocuments()
    documents.open(opened, document(""))
    documents.get(other)
    before = Counting.asked
    assert documents.get(opened) is documents.get(other) is documents[other]
    assert documents.name(other).path == documents.name(opened).path
    assert Counting.asked == before


def test_other_spellings_are_forgotten_in_time(work: Path) -> None:
    """A client that invents spellings does not fill the memory, and spellings end with their document."""
    uri = (work / "a b.py").as_uri()
    documents = OpenDocuments()
    documents.open(uri, document(""))
    found = {documents.uri(uri.replace("/work/", "/work/" + "./" * number)) for number in range(1, 1_500)}
    assert found == {uri}
    assert len(documents._spellings) <= 1_024
    documents.close(uri)
    assert documents._spellings == {}
