"""Waiting until something has happened; the limit is generous, for only a broken program reaches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

LIMIT = 120.0
"""Seconds after which what was waited for is not coming, on a machine that does much else."""
_GLANCE = 0.01
"""Seconds between two looks."""

_Found = TypeVar("_Found")


def wait_until(find: Callable[[], _Found | None], what: str = "it", limit: float = LIMIT) -> _Found:
    """Call ``find`` until it returns something that counts as true; return that.

    Raises:
        AssertionError: it did not within ``limit`` seconds; the message names ``what``.
    """
    deadline = time.monotonic() + limit
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited {limit:.0f} s for {what}"
        time.sleep(_GLANCE)
    return found


async def wait_on_loop_until(find: Callable[[], _Found | None], what: str = "it", limit: float = LIMIT) -> _Found:
    """Do the same as :func:`wait_until`, while the event loop runs on."""
    deadline = time.monotonic() + limit
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited {limit:.0f} s for {what}"
        await asyncio.sleep(_GLANCE)
    return found
