"""The one setting of git that matters here: ``core.excludesFile``, the user's ignore file for all repositories.

It is read as git reads it: from the system's settings, the user's and the repository's, of which the last one counts.
Files that these include are not read.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import PurePath

from midfill.common.file_system import FileStamp, stamp_of
from midfill.common.regular_file import read_regular

ENVIRONMENT = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL")
"""The variables that decide which files are read here."""
_MAX_BYTES = 65_536
"""Maximum size of a file of settings; a larger one sets nothing."""
_SECTION = re.compile(r"\s*\[([^\]\"]*)(\"[^\"]*\")?\s*\]")
_SETTING = re.compile(r"\s*excludesfile\s*=(.*)", re.IGNORECASE)
_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^"\\#;]|\\.)+)')
"""A part of a value, in quotes or not; a comment is none."""
_ESCAPE = re.compile(r"\\(.)")


def personal_exclusions(git_folder: str) -> str | None:
    """Return the user's own ignore file, which need not exist, for the repository with this folder ``.git``."""
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    system = [] if "GIT_CONFIG_NOSYSTEM" in os.environ else [os.environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"]
    users = [os.path.join(settings, "git", "config"), os.path.expanduser("~/.gitconfig")]
    if "GIT_CONFIG_GLOBAL" in os.environ:
        users = [os.environ["GIT_CONFIG_GLOBAL"]]
    repositorys = os.path.join(git_folder, "config")
    named = os.path.join(settings, "git", "ignore")
    for file in (*system, *users, repositorys):
        value = _excludes_file_in(file, stamp_of(file))
        # A stranger may have written the repository's: see git_folders.
        if value is not None and not (file == repositorys and PurePath(value).drive.startswith("\\\\")):
            named = os.path.expanduser(value)
    return named if os.path.isabs(named) else None


@lru_cache(64)
def _excludes_file_in(file: str, _stamp: FileStamp | None) -> str | None:
    """Return the value in a file of settings; None if it has none."""
    try:
        text = read_regular(file, _MAX_BYTES).decode("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return None
    section, value = "", None
    for line in text.split("\n"):
        header = _SECTION.match(line)
        if header:
            section = header[1].strip().lower() if header[2] is None else ""
        setting = _SETTING.fullmatch(line[header.end() :] if header else line)
        if setting and section == "core":
            value = _plain(setting[1])
    return value


def _plain(value: str) -> str:
    """Return a value without its quotes, escapes and comment."""
    value, text, place = value.strip(), "", 0
    while piece := _PIECE.match(value, place):
        text += piece[1] if piece[1] is not None else piece[2]
        place = piece.end()
    return _ESCAPE.sub(r"\1", text).strip()
