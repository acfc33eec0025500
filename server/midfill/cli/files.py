"""What the commands on a file share: reading the file, and the user's settings."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from midfill.common.errors import UsageError
from midfill.common.limits import MAX_FILE_BYTES
from midfill.common.os_errors import explain
from midfill.common.regular_file import read_regular
from midfill.settings.schema import Settings
from midfill.settings.sources import SettingsSources

COUNT = r"0*[1-9][0-9]{0,8}"
"""A pattern for a line or column number, from 1 to 999999999."""


@dataclass(frozen=True)
class SourceFile:
    """A file's content."""

    path: Path
    data: bytes
    text: str
    """The decoded data without a byte order mark, which editors do not count as a column."""


def read_file(path: Path) -> SourceFile:
    """Read a file.

    Raises:
        UsageError: the file cannot be read, or is not UTF-8.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
        return SourceFile(path, data, data.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {explain(error)}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}): convert it first.") from error


def own_settings(bundle: Path | None = None) -> Settings:
    """Return the user's own settings, with ``bundle`` if one is given.

    Problems with the settings are printed to standard error.
    """
    settings, problems = SettingsSources().reload()
    for problem in problems:
        sys.stderr.write(f"midfill: {problem}\n")
    return dataclasses.replace(settings, bundle=bundle) if bundle else settings
