"""The releases of the standard set."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from midfill.common.errors import EvalError
from midfill.evals.edits import sources, standard_set
from midfill.evals.edits.standard_set import Project, Release, projects
from unit.evals.edits.test_releases import zipped

PERMISSIVE = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


def release(folder: Path, version: str, text: str) -> Release:
    """Write a release of one file."""
    file = zipped(folder / f"some-{version}.whl", {"a.py": text.encode()})
    return Release(version, file.name, hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.fixture
def some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Make a standard set of one project with three releases."""
    texts = {"1": "x = 1\n", "2": "x = 2\n", "3": "x = 3\n"}
    made = Project("some", "pypi", "MIT", tuple(release(tmp_path, *each) for each in texts.items()))
    monkeypatch.setattr(standard_set, "projects", lambda: (made,))
    return made


def test_recipe_pins_consecutive_releases_under_permissive_licences() -> None:
    """There are two or more of each project, and each archive has a SHA-256."""
    assert {project.licence for project in projects()} <= PERMISSIVE
    assert {project.registry for project in projects()} == {"pypi", "npm"}
    assert min(len(project.releases) for project in projects()) >= 2
    archives = [each for project in projects() for each in project.releases]
    assert all(re.fullmatch("[0-9a-f]{64}", each.sha256) for each in archives)
    assert len({each.file for each in archives}) == len(archives)


def test_consecutive_releases_are_compared(some: Project, tmp_path: Path) -> None:
    """Each with the one before."""
    found = list(sources.changes(tmp_path, None))
    assert [(each.version, each.before, each.after) for each in found] == [
        ("2", "x = 1\n", "x = 2\n"),
        ("3", "x = 2\n", "x = 3\n"),
    ]
    assert {each.project for each in found} == {some.name}


def test_release_that_is_missing(some: Project, tmp_path: Path) -> None:
    """The error says how to fetch it."""
    (tmp_path / some.releases[1].file).unlink()
    with pytest.raises(EvalError, match=r"some-2\.whl cannot be read.*tools/fetch_edit_releases\.py"):
        list(sources.changes(tmp_path, None))


def test_release_that_was_altered(some: Project, tmp_path: Path) -> None:
    """Figures of other files would not be comparable."""
    (tmp_path / some.releases[1].file).write_bytes(b"other")
    with pytest.raises(EvalError, match="is not the release that was measured before"):
        list(sources.changes(tmp_path, None))


def test_two_releases_that_the_user_names(some: Project, tmp_path: Path) -> None:
    """The project's name is that of the file without the version."""
    older, newer = (tmp_path / each.file for each in some.releases[::2])
    (found,) = sources.changes(newer, older)
    assert (found.project, found.version, found.before, found.after) == ("some", newer.name, "x = 1\n", "x = 3\n")


def test_file_that_is_no_folder(some: Project, tmp_path: Path) -> None:
    """A single release is compared with nothing."""
    with pytest.raises(EvalError, match="the release before it with --older"):
        sources.changes(tmp_path / some.releases[0].file, None)
