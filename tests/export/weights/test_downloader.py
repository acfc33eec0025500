"""Running a download tool and watching its folder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from midfill_export.weights.downloader import Unavailable, largest_file, run_watched

DOWNLOAD_IN_STEPS = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
for size in (1000, 2000, 3000):
    (folder / "file").write_bytes(bytes(size))
    while not (folder / f"seen-{size}").exists():
        time.sleep(0.01)
"""
"""A download that goes on when what it has written was reported."""


def ignore(size: int) -> None:
    """Report nothing."""


def python(program: str, *arguments: str) -> list[str]:
    """Return the command of a program that is used as a download tool."""
    return [sys.executable, "-I", "-c", program, *arguments]


def test_growth_is_reported(tmp_path: Path) -> None:
    """The bytes are reported while the tool runs, not only when it has ended."""
    sizes: list[int] = []

    def note(size: int) -> None:
        sizes.append(size)
        (tmp_path / f"seen-{size}").touch()

    run_watched(python(DOWNLOAD_IN_STEPS, str(tmp_path)), tmp_path, {}, note)
    assert sorted(set(sizes) - {0}) == [1000, 2000, 3000]


def test_failure(tmp_path: Path) -> None:
    """The last line of a tool that failed is the reason."""
    with pytest.raises(Unavailable, match=r"^No such thing$"):
        run_watched(python("print('looking', flush=True); exit('ERROR: No such thing')"), tmp_path, {}, ignore)


def test_tool_runs_in_its_own_folder(tmp_path: Path) -> None:
    """The folder that the user is in may have files with settings of a tool."""
    run_watched(python("open('here', 'w').close()"), tmp_path, {}, ignore)
    assert (tmp_path / "here").exists()


def test_full_disk(tmp_path: Path) -> None:
    """A full disk is an OSError, not ``Unavailable``."""
    with pytest.raises(OSError, match="No space left on device") as failure:
        run_watched(python("import os; raise OSError(28, os.strerror(28))"), tmp_path, {}, ignore)
    assert failure.value.errno == errno.ENOSPC


def test_tool_dies_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception, such as Ctrl-C, ends the tool too."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt(size: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    with pytest.raises(KeyboardInterrupt):
        run_watched(python("import time; time.sleep(3600)"), tmp_path, {}, interrupt)
    assert [process.returncode is not None for process in started] == [True]


def scan_unless_temporary(scan: Callable[[str], object], path: str) -> object:
    """List a folder, unless it is the temporary one, which has gone."""
    if Path(path).name == "temporary":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return scan(path)


def test_folder_vanishes_while_it_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool's temporary folders come and go; the largest of what is left counts."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "kept").write_bytes(bytes(10))
    monkeypatch.setattr(os, "scandir", partial(scan_unless_temporary, os.scandir))
    assert largest_file(tmp_path) == 10
