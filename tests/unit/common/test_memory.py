"""Returning freed memory to the operating system."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Callable

import pytest

from midfill.common import memory


class Ring:
    """An object that only the garbage collector frees."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_collected() -> None:
    """An unreferenced cycle is collected, also while automatic collection is off."""
    ring = weakref.ref(Ring())
    gc.disable()
    memory.give_back()
    gc.enable()
    assert ring() is None


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_c_library_without_malloc_trim(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without malloc_trim the garbage is still collected, and nothing fails."""

    def refuse(_name: None) -> Callable[[int], int]:
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    ring = weakref.ref(Ring())
    memory.give_back()
    assert ring() is None
