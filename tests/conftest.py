"""What all tests have in common."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from midfill.common.paths import cache_dir
from own_cores import take_a_core
from own_files import end_engines, set_apart

take_a_core()  # before a library is loaded that counts the cores, as torch is by the conftest of a folder
set_apart()  # before anything is collected, for parameters of tests hold settings


@pytest.fixture(autouse=True)
def nothing_was_accepted() -> None:
    """Forget what earlier tests accepted: it would move the gate of later ones."""
    with contextlib.suppress(OSError):
        (cache_dir() / "statistics.json").unlink(missing_ok=True)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Return an empty folder whose path is so short that a socket in it has room: pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="midfill-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def runtime(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the system name a folder for sockets; return it."""
    folder = short_path / "run"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    return folder


def pytest_sessionfinish() -> None:
    """Leave no engine process behind."""
    end_engines()


LONGEST = ("e2e/test_speculation", "e2e/test_actions", "export/tuning/test_tune", "e2e/", "export/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that take longest first, so that no process waits for the last of them."""
    items.sort(key=lambda item: [f"tests/{start}" not in item.nodeid for start in LONGEST])
