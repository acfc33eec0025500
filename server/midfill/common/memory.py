"""Giving memory back to the system, where freeing alone keeps it."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Collect what nobody holds any more, and have the C library return what it keeps of freed memory.

    glibc keeps the ends of its heaps for the next allocation; elsewhere there is nothing to do.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no CDLL(None)
        return
    trim(0)
