"""The index's process, in this one: two spellings of a change are one change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from midfill.common.file_identity import entries_and_files
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.retrieval import ipc
from midfill.retrieval.lookup import LookupRequest, to_message
from midfill.retrieval.worker import Client, Worker


class Index:
    """A worker that was told of some files."""

    def __init__(self, folder: Path, *files: Path) -> None:
        self._folder = folder
        self._worker = Worker(IgnoreRules([folder]))
        self.changed(files)

    def changed(self, paths: Iterable[Path | str]) -> None:
        """Report changes as they are given."""
        self._worker.handle(Client(lambda _: None), {"do": "changed", "paths": [str(path) for path in paths]})

    def defining(self, name: str) -> list[str]:
        """Return the files that define a name, as the index finds them."""
        asking = str(self._folder / "asking.py")
        request = LookupRequest(asking, "python", f"\n{name}(1)\n\n", 2, (0, 3), (name,))
        said: list[ipc.Message] = []
        self._worker.handle(Client(said.append), {"do": "look up", "id": 0, "request": to_message(request)})
        return [candidate["path"] for answer in said for candidate in answer["candidates"]]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with the file ``A.py``, and a link to it beside it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work/A.py").write_text("def first_name(a): pass\n")
    (tmp_path / "link").symlink_to("work")
    return tmp_path / "work"


def test_change_by_a_link(work: Path) -> None:
    """The file is changed, and there is one entry of it."""
    index = Index(work, work / "A.py")
    (work / "A.py").write_text("def second_name(a, b): pass\n")
    index.changed(entries_and_files([work.parent / "link/A.py"]))
    assert index.defining("first_name") == []
    assert index.defining("second_name") == [str(work / "A.py")]
    (work / "A.py").unlink()
    index.changed(entries_and_files([work.parent / "link/A.py"]))
    assert index.defining("second_name") == []


def test_only_identities_are_entries(work: Path) -> None:
    """A path that leads through a link is no entry, even if it is reported as it is."""
    index = Index(work, work.parent / "link/A.py", work / "../work/A.py")
    assert index.defining("first_name") == []


@pytest.mark.parametrize("target", ["B.py", "../outside.py", ".env", "A.py"])
def test_file_that_becomes_a_link(work: Path, target: str) -> None:
    """Its entry goes, whatever the link leads to; the target is in the index only if it may be."""
    (work / target).write_text("def other_name(a): pass\n")
    index = Index(work, work / "A.py")
    (work / "A.py").unlink()
    (work / "A.py").symlink_to(target)
    index.changed(entries_and_files([work / "A.py"]))
    assert index.defining("first_name") == []
    assert index.defining("other_name") == [str(work / target)] * (target == "B.py")


@pytest.mark.usefixtures("loose_disk")
@pytest.mark.parametrize("spelling", ["A.py", "a.py", "a.PY"])
def test_deleted_by_another_spelling(work: Path, spelling: str) -> None:
    """Where case is ignored, the entry goes, also if nobody looked at its folder before."""
    index = Index(work, work / "A.py")
    assert index.defining("first_name") == [str(work / "A.py")]
    (work / "A.py").unlink()
    index.changed([work / spelling])
    assert index.defining("first_name") == []


@pytest.mark.usefixtures("loose_disk")
def test_deleted_folder_by_another_spelling(work: Path) -> None:
    """All files in it go."""
    (work / "Sub").mkdir()
    (work / "A.py").rename(work / "Sub/A.py")
    index = Index(work, work / "Sub/A.py")
    assert index.defining("first_name") == [str(work / "Sub/A.py")]
    (work / "Sub/A.py").unlink()
    (work / "Sub").rmdir()
    index.changed([work / "sub"])
    assert index.defining("first_name") == []


@pytest.mark.usefixtures("loose_disk")
def test_renamed_to_another_case(work: Path) -> None:
    """There is one entry, by the new name."""
    index = Index(work, work / "A.py")
    (work / "A.py").rename(work / "a.py")
    index.changed(entries_and_files([work / "A.py", work / "a.py"]))
    assert index.defining("first_name") == [str(work / "a.py")]


@pytest.mark.parametrize("name", ["x" * 300, "\0", "y/" * 900, "y/" * 9_000, "\udcff.py"])
def test_odd_names(work: Path, name: str) -> None:
    """A change of a file that cannot be changes nothing."""
    index = Index(work, work / "A.py")
    index.changed([f"{work}/{name}"])
    assert index.defining("first_name") == [str(work / "A.py")]
