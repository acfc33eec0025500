"""Files apart from the user's: what is set and counted on this machine stays out of the tests, and theirs out of it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from midfill.common.paths import cache_dir, weights_dir
from midfill.settings.schema import default_bundle

USERS_WEIGHTS = Path(os.environ.setdefault("MIDFILL_TESTS_WEIGHTS", str(weights_dir())))
"""The folder of the weights that the user's bundle was made of. A worker of pytest-xdist inherits it, because the cache
folder in its environment is that of the first process already."""


def set_apart() -> None:
    """Give this process, and those it starts, a cache folder and settings of its own; the bundle stays the user's."""
    folder = Path(tempfile.mkdtemp(prefix="midfill-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["MIDFILL_BUNDLE"] = str(default_bundle())
    os.environ["MIDFILL_CACHE"] = another_cache(folder / "cache")
    # A test must not find the model or the index of another one, unless it is about that.
    (folder / "midfill.toml").write_text("shareEngine = false\n")
    os.environ["MIDFILL_CONFIG"] = str(folder / "midfill.toml")
    # Of git's settings, only the user's ignore file matters to Midfill.
    (folder / "gitconfig").write_text(f"[include]\n\tpath = ~/.gitconfig\n[core]\n\texcludesFile = {folder}/none\n")
    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # mkdtemp has made it private


def another_cache(folder: Path) -> str:
    """Make a cache folder, and return its path. It knows of this one only that the bundle is whole.

    To hash the real bundle takes two seconds of a core.
    """
    folder.mkdir(parents=True, exist_ok=True)
    verified = cache_dir() / "verified.json"
    if verified.is_file():
        shutil.copy(verified, folder)
    return str(folder)


def end_engines() -> None:
    """End the engine processes that servers of these tests have started. They would stay for half an hour.

    Shared indexes end with their servers.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            if "midfill.engine.host" in command and os.environ["XDG_RUNTIME_DIR"] in command[-1]:
                process.kill()
