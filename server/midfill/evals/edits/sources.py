"""Where the changes of the suite ``edits`` come from, by what the user names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from midfill.common.errors import EvalError
from midfill.evals.edits import git_history, standard_set
from midfill.evals.edits.hunks import FileChange
from midfill.evals.edits.releases import changes_between


def changes(data: Path | None, older: Path | None) -> Iterator[FileChange]:
    """Yield changed files.

    Args:
        data: a git repository, a release, or the folder of the standard set; None for that folder's usual place.
        older: the release before the release ``data``; None if that is no release.

    Raises:
        EvalError: there is nothing that can be read.
    """
    if older is not None and data is not None:
        return changes_between(_project_of(data), data.name, older, data)
    folder = data or standard_set.default_folder()
    if data is not None and not data.is_dir():
        raise EvalError(f"{data} is no folder: name a git repository, or also the release before it with --older.")
    if (folder / ".git").exists():
        return git_history.changes_in(folder)
    return standard_set.changes(folder)


def _project_of(release: Path) -> str:
    """Return the project's name from that of a release, such as "some-name-1.2.tar.gz"."""
    return re.split(r"[-_]v?\d", release.name)[0]
