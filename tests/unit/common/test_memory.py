"""Giving memory back to the system."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Callable

import pytest

from midfill.common import memory


class Ring:
    """Something that only the garbage collector frees."""

    def __init__(self) -> None:
        self.itself = self


def test_what_nobody_holds_is_collected_and_the_library_asked() -> None:
    """Both happen, in this order, where the C library has it."""
    ring = weakref.ref(Ring())
    gc.disable()
    memory.give_back()
    gc.enable()
    assert ring() is None


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_other_libraries_are_left_alone(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without malloc_trim there is nothing to call, and that is no failure."""

    def refuse(_name: None) -> Callable[[int], int]:
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    ring = weakref.ref(Ring())
    memory.give_back()
    assert ring() is None
