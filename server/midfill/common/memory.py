"""Less memory from the C library, and freed memory returned to the operating system."""

from __future__ import annotations

import ctypes
import gc

_M_ARENA_MAX = -8


def use_one_heap() -> None:
    """Let all threads share one heap of the C library; call it before there is a second thread.

    glibc gives a thread a heap of its own. What a tokenizer leaves there in small pieces cannot be returned: a server
    that has no model takes 8 to 15 MB more. Other C libraries need no such call.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # the C library is not glibc; Windows has no CDLL(None)
        return
    mallopt(_M_ARENA_MAX, 1)


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
