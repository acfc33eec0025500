"""Files that somebody else put there: only regular ones are read, and only as much as they may have."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from midfill.common.regular_file import open_regular, read_regular

NO_PIPES = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def test_regular_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    """A larger one is refused, and so is none at all."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular(file, 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(file, 4)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


@NO_PIPES
def test_nothing_waits_for_a_pipe_or_reads_a_device_for_ever(tmp_path: Path) -> None:
    """Neither by its name nor by a link."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(tmp_path / "link", 10)
    with pytest.raises(OSError, match=r"directory|denied"):
        read_regular(tmp_path, 10)
