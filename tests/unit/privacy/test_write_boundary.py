"""An edit of another file stays in the folder around its document, wherever links lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.privacy.write_boundary import folder_around, may_change


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a document, beside a folder of the user's."""
    (tmp_path / "home").mkdir()
    folder = tmp_path / "repository"
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "src" / "a.py").touch()
    return folder


@pytest.mark.parametrize("place", ["test_a.py", "src/test_a.py", "new/test_a.py", "src/../test_a.py"])
def test_file_of_the_repository_may_be_changed(repository: Path, place: str) -> None:
    """Whether it exists or not."""
    assert may_change(repository / place, repository / "src" / "a.py")


@pytest.mark.parametrize(
    "place",
    ["../home/.profile", "../home", ".git/hooks/pre-commit", ".git/config", ".env", "src/left.py", "."],
)
def test_no_other_file_may_be_changed(repository: Path, place: str) -> None:
    """Neither one outside, nor one that an ignore rule or the user excludes."""
    assert not may_change(repository / place, repository / "src" / "a.py", patterns=["left.py"])


@pytest.mark.parametrize("target", ["../home/.profile", "/dev/null", ".git/hooks/pre-commit"])
def test_link_to_such_a_file_is_followed(repository: Path, target: str) -> None:
    """Also one to a file that does not exist yet; each time anew."""
    link = repository / "test_a.py"
    assert may_change(link, repository / "src" / "a.py")
    link.symlink_to(target)
    assert not may_change(link, repository / "src" / "a.py")


@pytest.mark.parametrize("target", ["../home", ".git/hooks"])
def test_link_to_such_a_folder_is_followed(repository: Path, target: str) -> None:
    """A file that is made through it would be outside."""
    (repository / "tests").symlink_to(target)
    assert not may_change(repository / "tests" / "test_a.py", repository / "src" / "a.py")


@pytest.mark.parametrize("document", ["untitled:Untitled-1", "a.py", ""])
def test_document_that_is_no_file_has_no_other_files(
    repository: Path, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the server was started in is not its folder."""
    monkeypatch.chdir(repository)
    assert not may_change(repository / "test_a.py", Path(document), [repository])


def test_link_within_the_repository_is_harmless(repository: Path) -> None:
    """Some projects have such links."""
    (repository / "tests").symlink_to("src")
    assert may_change(repository / "tests" / "test_a.py", repository / "src" / "a.py")


def test_workspace_folder_counts_before_the_repository(repository: Path, tmp_path: Path) -> None:
    """The innermost one."""
    inner = repository / "src"
    assert folder_around(inner / "a.py", [tmp_path, inner, repository]) == inner
    assert folder_around(inner / "a.py", [tmp_path / "home"]) == repository
    assert folder_around(tmp_path / "home" / "b.py") == tmp_path / "home"
    assert not may_change(repository / "test_a.py", inner / "a.py", [inner])


def test_document_behind_a_link_is_in_the_folder_that_it_was_opened_in(repository: Path, tmp_path: Path) -> None:
    """What is around the file itself was not opened, be the link one to the file or to a folder."""
    home = tmp_path / "home"
    (home / "b.py").touch()
    (repository / "b.py").symlink_to(home / "b.py")
    (repository / "linked").symlink_to(home)
    for document in (repository / "b.py", repository / "linked" / "b.py"):
        assert folder_around(document) == folder_around(document, [repository]) == repository
        assert not may_change(home / "test_b.py", document, [repository])
        assert not may_change(home / "test_b.py", document)
    (tmp_path / "opened").symlink_to(repository)
    assert folder_around(tmp_path / "opened" / "src" / "a.py", [tmp_path / "opened"]) == repository
