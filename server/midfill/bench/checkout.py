"""The git commit that this code runs from."""

from __future__ import annotations

import subprocess
from pathlib import Path

from midfill.common.child_programs import find_program


def commit(file: Path = Path(__file__)) -> str:
    """Return the commit of the checkout that tracks ``file``, with "-dirty" if tracked files were changed.

    Return "" if there is no such checkout or no git. An installation within some other project's checkout is not
    tracked there, so that project's commit is not returned.
    """
    if not _git(file.parent, "ls-files", "--error-unmatch", "--", file.name):
        return ""
    return _git(file.parent, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints; "" if it fails."""
    git = find_program("git")
    if git is None:
        return ""
    # A folder above may be a stranger's, and its configuration may name a program to ask for changed files.
    command = [git, "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (no input of a user)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
