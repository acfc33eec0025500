"""What the commands that work on a file share: how it is named and read, and the user's own settings."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from midfill.common.errors import UsageError
from midfill.settings.schema import Settings
from midfill.settings.sources import SettingsSources

COUNT = r"0*[1-9][0-9]{0,8}"
"""A whole number from 1 on, such as a line's."""


@dataclass(frozen=True)
class SourceFile:
    """A file as it was read; editors do not count a byte order mark."""

    path: Path
    data: bytes
    text: str


def read_file(path: Path) -> SourceFile:
    """Read a file.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
        return SourceFile(path, data, data.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}): convert it first.") from error


def own_settings(bundle: Path | None = None) -> Settings:
    """Return what the user has set, for commands that do what the server does, with another ``bundle`` if one is named.

    What is wrong with the settings is told.
    """
    settings, problems = SettingsSources().reload()
    for problem in problems:
        sys.stderr.write(f"midfill: {problem}\n")
    return dataclasses.replace(settings, bundle=bundle) if bundle else settings
