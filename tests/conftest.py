"""What all tests have in common."""

import contextlib

import pytest

from midfill.common.paths import cache_dir
from own_files import set_apart

set_apart()  # before anything is collected, for parameters of tests hold settings


@pytest.fixture(autouse=True)
def nothing_was_accepted() -> None:
    """Forget what earlier tests accepted: it would move the gate of later ones."""
    with contextlib.suppress(OSError):
        (cache_dir() / "statistics.json").unlink(missing_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the end-to-end tests first: their files take longest, and no process should wait for the last of them."""
    items.sort(key=lambda item: "/e2e/" not in item.nodeid)
