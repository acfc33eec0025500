"""Where the user's own exclusions are: a repository's ``info/exclude``, and the file for all repositories.

In a main checkout, ``.git`` is a folder. In a linked worktree and in a submodule it is a file, ``gitdir: FOLDER``. The
folder of a linked worktree has a file ``commondir``, which names the folder that the worktrees share.

These files may be a stranger's. What they lead to can only exclude more. It is read as a bounded regular file, and on
Windows not from another machine, because Windows would send it the user's name and password.
"""

from __future__ import annotations

import os
from pathlib import PurePath

from midfill.common.file_uri import MAX_PATH_CHARACTERS
from midfill.common.regular_file import read_regular
from midfill.privacy.git_settings import personal_exclusions

_MAX_BYTES = 2 * MAX_PATH_CHARACTERS
"""Maximum size of a file that names a folder."""
_PREFIX = b"gitdir: "


def exclusions_of(folder: str) -> list[str]:
    """Return files of exclusions, which need not exist, the strongest first; [] for no top of a checkout."""
    git = os.path.join(folder, ".git")
    if not os.path.lexists(git):
        return []
    own = git if os.path.isdir(git) else _named_in(git, folder, _PREFIX)
    if own is None:
        return []
    shared = _named_in(os.path.join(own, "commondir"), own) or own
    personal = personal_exclusions(shared)
    return [os.path.join(shared, "info", "exclude"), *([personal] if personal else [])]


def _named_in(file: str, base: str, prefix: bytes = b"") -> str | None:
    """Return the folder that a file names, relative to ``base``; None if it names none on this machine."""
    try:
        data = read_regular(file, _MAX_BYTES)
    except (OSError, ValueError):
        return None
    name = os.fsdecode(data.removeprefix(prefix).rstrip(b"\r\n"))
    if not data.startswith(prefix) or not name or "\0" in name:
        return None
    folder = PurePath(base, name)
    is_on_another_machine = folder.drive.startswith("\\\\") and folder.drive != PurePath(base).drive
    return None if is_on_another_machine or len(str(folder)) > MAX_PATH_CHARACTERS else str(folder)
