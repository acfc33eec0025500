"""The standard set of the suite ``edits``: releases of packages under permissive licences.

The repository has only the recipe: names, versions, and the SHA-256 of each archive. `tools/fetch_edit_releases.py`
fetches the archives with the clients of the package registries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cattrs

from midfill.common.errors import EvalError
from midfill.common.paths import cache_dir
from midfill.common.regular_file import read_regular
from midfill.evals.edits.hunks import FileChange
from midfill.evals.edits.releases import changes_between

_MAX_BYTES = 100_000_000
"""Maximum size of an archive."""
_RECIPE = Path(__file__).with_name("standard_set.json")


@dataclass(frozen=True)
class Release:
    """One release of a project."""

    version: str
    file: str
    """The name of its archive."""
    sha256: str


@dataclass(frozen=True)
class Project:
    """A project, and consecutive releases of it, the oldest first."""

    name: str
    """Its name in the registry."""
    registry: str
    """``pypi`` or ``npm``."""
    licence: str
    """SPDX identifier."""
    releases: tuple[Release, ...]


@cache
def projects() -> tuple[Project, ...]:
    """Return the projects of the standard set."""
    return cattrs.structure(json.loads(_RECIPE.read_text(encoding="utf-8")), tuple[Project, ...])


def default_folder() -> Path:
    """Return the folder in which the archives are looked for."""
    return cache_dir() / "edit-releases"


def changes(folder: Path) -> Iterator[FileChange]:
    """Yield the files that differ between consecutive releases of each project, from the archives in ``folder``.

    Raises:
        EvalError: an archive is missing, or is not the one of the recipe.
    """
    for project in projects():
        for release in project.releases:
            _check(folder, release)
        for older, newer in zip(project.releases, project.releases[1:], strict=False):
            yield from changes_between(project.name, newer.version, folder / older.file, folder / newer.file)


def _check(folder: Path, release: Release) -> None:
    try:
        data = read_regular(folder / release.file, _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise EvalError(
            f"the releases to measure on are not in {folder} ({release.file} cannot be read): fetch them with"
            " `python tools/fetch_edit_releases.py` of Midfill's repository, or name a git repository with --data."
        ) from error
    if hashlib.sha256(data).hexdigest() != release.sha256:
        raise EvalError(
            f"{folder / release.file} is not the release that was measured before: delete it, and fetch it again with"
            " `python tools/fetch_edit_releases.py`."
        )
