"""The workspace as one object: which documents it excludes, and what it remembers of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from midfill.common.file_identity import entries_and_files
from midfill.common.file_uri import plain_uri
from midfill.retrieval.service import Workspace

TEXT = "def distant_helper(argument):\n    alpha = beta(gamma)\n    delta = epsilon(zeta)\n    return alpha + delta\n"
ASKING = "x = distant_helper(argument)\ny = "


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with two files and a link to it beside it; ``hidden.py`` is a link with an excluded name."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.py").write_text(TEXT)
    (tmp_path / "work/asking.py").write_text(ASKING)
    (tmp_path / "work/.midfillignore").write_text("hidden.py\n")
    (tmp_path / "work/hidden.py").symlink_to("a.py")
    (tmp_path / "link").symlink_to("work")
    return tmp_path / "work"


@pytest.fixture
def workspace(work: Path) -> Iterator[Workspace]:
    """Return the workspace, opened by the link, without an index."""
    workspace = Workspace([work.parent / "link"], indexed=False)
    yield workspace
    workspace.close()


def recent(workspace: Workspace, work: Path) -> list[str]:
    """Return the files whose recent lines are shown for another file."""
    found = workspace.snippets_at(str(work / "asking.py"), ASKING, len(ASKING), "python", budget=4_000, window=100)
    return [snippet.path for snippet in found.snippets]


def test_excluded_by_any_of_its_names(workspace: Workspace, work: Path) -> None:
    """A document is excluded by its own name or by that of a link under which it was opened."""
    assert not workspace.excludes(str(work / "a.py"))
    assert not workspace.excludes(str(work.parent / "link/a.py"))
    assert workspace.excludes(str(work / "hidden.py"))
    assert workspace.excludes(str(work.parent / "link/hidden.py"))
    (work / ".midfillignore").write_text("a.py # and no other\n/a.py\n")
    assert workspace.excludes(str(work.parent / "link/a.py"))


@pytest.mark.parametrize(
    "name", ["untitled:a", "", "a.py", "/" + "x" * 300 + "/a.py", "/" + "y/" * 900, "/" + "y/" * 9_000, "/\0.py"]
)
def test_document_that_is_nowhere(workspace: Workspace, name: str) -> None:
    """A document that cannot be on disk is not excluded, unless its path is no path at all."""
    assert workspace.excludes(name) in (False, True)


def test_recent_lines_of_a_file_are_one_entry(workspace: Workspace, work: Path) -> None:
    """They are shown once, and not at all if the document was opened under an excluded name."""
    workspace.visited(str(work / "a.py"), TEXT, 0, str(work / "hidden.py"))
    assert recent(workspace, work) == []
    workspace.visited(str(work / "a.py"), TEXT, 0, str(work.parent / "link/a.py"))
    workspace.visited(str(work / "a.py"), TEXT, 0)
    assert recent(workspace, work) == ["a.py"]
    (work / "a.py").unlink()
    workspace.changed(entries_and_files([work.parent / "link/a.py", work / ("long" * 100)]))
    assert recent(workspace, work) == []


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:{}/hidden.py", "git:{}/hidden.py?%7B%22ref%22%3A%22~%22%7D", "vscode-notebook-cell:{}/hidden.py#W0sZ",
        "gitlens://7b22/{}/hidden.py?x", "fugitive://{}/.git//0/a.py", "vscode-vfs://github/{}/hidden.py",
        "vscode-remote://ssh-remote+host{}/hidden.py", "untitled:{}/sub/../hidden.py", "UNTITLED:{}/hidden%2Epy",
        'git:{}/hidden.py.git?{{"path":"{}/hidden.py"}}', "untitled:{}/.env", "untitled:{}/by-settings.txt",
        "untitled:.env", "untitled:by-settings.txt", "untitled:x/id_rsa", "vscode-vfs://github/someone/else/.env",
        "git:{}/hidden.py~HEAD", "gitfs:{}/hidden.py@0123abc", "zipfile://{}/a.zip::x/.env", "p4:/elsewhere/.env#3",
        "x:/home/someone/.aws/config", "scp://host/home/someone/.env", "file://host/w/.env",
        "untitled:/elsewhere/by-settings.txt",
        "untitled:" + "a/" * 500_000, "untitled:/" + "a/" * 500_000,
    ],
    ids=lambda uri: uri[:40],
)  # fmt: skip
def test_document_of_any_scheme_is_excluded_as_its_file(work: Path, uri: str) -> None:
    """Whatever shows a file (unsaved, as it was, on another machine, a notebook's cell), its path decides."""
    workspace = Workspace([work], ["by-settings.txt"], indexed=False)
    (work / "sub").mkdir()
    assert workspace.excludes(plain_uri(uri.format(work, work)))


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:{}/a.py", "git:{}/a.py?%7B%7D", "vscode-notebook-cell:{}/a.ipynb#W0sZ", "gitlens://7b22/{}/a.py",
        "untitled:Untitled-1", "untitled:", "scratch://", "git:{}/a.py~HEAD", "assets:{}/a@2x.py", "untitled:C:",
        "vscode-vfs://github/someone/else/a.py", "untitled:hidden.py",
    ],
)  # fmt: skip
def test_document_of_any_scheme_is_not_excluded_otherwise(work: Path, uri: str) -> None:
    """A name without a folder is in none, so no ignore file is about it; without a path there is no rule at all."""
    assert not Workspace([work], ["by-settings.txt"], indexed=False).excludes(plain_uri(uri.format(work)))


def test_document_that_is_no_file_is_in_no_other_prompt(
    workspace: Workspace, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its name looks like one of a file in the current folder."""
    monkeypatch.chdir(work)
    workspace.visited("untitled:Untitled-1", TEXT, 0)
    assert recent(workspace, work) == []


@pytest.mark.parametrize(
    ("path", "opened_as", "place"),
    [
        ("work/sub/b.py", "", ("work", "sub/b.py")),
        ("work/sub/b.py", "link/sub/b.py", ("work", "sub/b.py")),
        ("out/c.py", "work/sub/to_file.py", ("work", "sub/to_file.py")),
        ("out/c.py", "link/sub/to_file.py", ("work", "sub/to_file.py")),
        ("out/c.py", "work/to_folder/c.py", ("work", "to_folder/c.py")),
        ("out/deep/d.py", "link/to_folder/deep/d.py", ("work", "to_folder/deep/d.py")),
        ("out/c.py", "elsewhere/c.py", ("", "c.py")),
        ("out/c.py", "", ("", "c.py")),
    ],
)
def test_place_of_a_document(
    workspace: Workspace, work: Path, path: str, opened_as: str, place: tuple[str, str]
) -> None:
    """A file has its path in the workspace, also one that is outside and was opened by a link in the workspace."""
    (work.parent / "out/deep").mkdir(parents=True)
    (work / "sub").mkdir()
    (work / "sub/to_file.py").symlink_to(work.parent / "out/c.py")
    (work / "to_folder").symlink_to(work.parent / "out")
    (work.parent / "elsewhere").symlink_to("out")
    opened = str(work.parent / opened_as) if opened_as else ""
    found = workspace.snippets_at(str(work.parent / path), "", 0, "python", budget=100, window=100, opened_as=opened)
    assert (found.repository, found.path) == place
