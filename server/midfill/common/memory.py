"""Returning freed memory to the operating system."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Run the garbage collector, then make the C library return freed memory to the operating system.

    glibc keeps freed memory for the next allocation. Other C libraries need no such call.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # the C library is not glibc; Windows has no CDLL(None)
        return
    trim(0)
