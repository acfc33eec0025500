"""Memory of the C library: one heap, and what is freed is returned to the operating system."""

from __future__ import annotations

import ctypes
import gc
import platform
import subprocess
import sys
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


HEAPS = """
import ctypes, threading
from midfill.common import memory
memory.use_one_heap()
library = ctypes.CDLL(None)
threads = [threading.Thread(target=library.malloc, args=(5000,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
library.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(library.fopen(b"/dev/stdout", b"w"))
library.malloc_info(0, file)
library.fclose(file)
"""


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="other C libraries")
def test_threads_have_no_heaps_of_their_own() -> None:
    """What a thread allocates is in the one heap there is."""
    said = subprocess.run([sys.executable, "-c", HEAPS], capture_output=True, text=True, check=True).stdout
    assert said.count("<heap nr=") == 1


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_other_c_library(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its calls the garbage is still collected, and nothing fails."""

    def refuse(_name: None) -> Callable[[int], int]:
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    ring = weakref.ref(Ring())
    memory.use_one_heap()
    memory.give_back()
    assert ring() is None
