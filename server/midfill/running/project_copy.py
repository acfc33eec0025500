"""Copies a project into a jail: what ignore rules allow, within limits, with the texts that an editor has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from midfill.common.file_system import is_within
from midfill.common.regular_file import read_regular
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.running.jail import Jail

_MAX_FILES = 10_000
_MAX_BYTES = 300_000_000
_MAX_FILE_BYTES = 20_000_000
"""A larger file is left out of the copy."""


def copy_project(jail: Jail, rules: IgnoreRules, open_text: Callable[[str], str | None]) -> bool:
    """Copy the project's files; return False if there are too many of them.

    Args:
        jail: gets the copy.
        rules: the ignore rules; excluded files are not copied.
        open_text: returns the text of an open file by its path. It counts rather than the text on disk.
    """
    left, files = _MAX_BYTES, 0
    for path in rules.walk():
        if not is_within(path, jail.project):
            continue
        try:
            data = read_regular(path, _MAX_FILE_BYTES)
        except (OSError, ValueError):
            continue
        text = open_text(str(path))
        files, left = files + 1, left - len(data)
        if files > _MAX_FILES or left < 0:
            return False
        copy = jail.tree / path.relative_to(jail.project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data if text is None else text.encode("utf-8", "replace"))
    return True


def test_files(rules: IgnoreRules, is_test: Callable[[str], bool], limit: int) -> list[Path]:
    """Return the files with tests, at most ``limit`` of them."""
    found: list[Path] = []
    for path in rules.walk():
        if is_test(path.name):
            found.append(path)
            if len(found) == limit:
                break
    return found
