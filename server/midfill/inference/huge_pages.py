"""Makes a model faster on Linux: huge pages for the weights, and memory that is kept from one step to the next.

Each decoded token reads all weights once. Every page costs an address translation, and the processor prefetches only
within a page. With pages of 2 MB instead of 4 kB, the step of a single token is 10 % faster. A program must ask for
such pages (``madvise(MADV_HUGEPAGE)``, Linux's transparent huge pages), and onnxruntime does not.

A chunk of a prompt allocates about 25 MB of activations. By default glibc returns them to the system after each step.
The next step then gets them back page by page, filled with zeros, which takes 5 % of a prefill.
"""

from __future__ import annotations

import ctypes
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

_SMAPS = Path("/proc/self/smaps")
_POLICY = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_PAGE = 1 << 21  # bytes of a huge page
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MAX_KEPT_BYTES = 64 << 20
"""Maximum amount of freed memory that glibc keeps for the next step."""
_MAX_HEAP_ALLOCATION_BYTES = 32 << 20
"""Size of the largest allocation that glibc serves from this memory. glibc allows no higher limit."""
_MIN_RESIDENT = 0.9
"""Minimum part of a mapping that must be in use. A huge page would fill the rest with zeros."""


def arrange() -> threading.Thread | None:
    """Keep freed memory for the next step, and move what is in memory now into huge pages, in the background.

    On other systems than Linux with glibc, and where the administrator has turned huge pages off, less or nothing is
    done. Failures are ignored.

    Returns:
        The thread that makes huge pages; None if there is none.
    """
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _MAX_HEAP_ALLOCATION_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _MAX_KEPT_BYTES)
    try:
        if "[never]" in _POLICY.read_text(encoding="ascii"):
            return None
    except (OSError, ValueError):
        return None
    thread = threading.Thread(target=_enlarge, args=(library,), name="large pages", daemon=True)
    thread.start()
    return thread


def _enlarge(library: ctypes.CDLL) -> None:
    """Ask for huge pages wherever they would be full. Linux 6.1 or newer makes them at once, an older one gradually."""
    advise = library.madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    try:
        mappings = _SMAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for start, end in full_ranges(mappings):
        advise(start, end - start, _MADV_HUGEPAGE)
        advise(start, end - start, _MADV_COLLAPSE)


def full_ranges(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Find memory for huge pages in the lines of ``/proc/PID/smaps``: anonymous, writable, and almost all in use.

    Yields:
        The first address of a range and the address after its last byte. Both are multiples of a huge page's size.
    """
    start = end = 0
    for line in smaps:
        if mapping := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line):
            first, last = int(mapping[1], 16), int(mapping[2], 16)
            anonymous = mapping[3].startswith("rw") and mapping[4] in ("", "[heap]")
            start, end = (-(-first // _PAGE) * _PAGE, last // _PAGE * _PAGE) if anonymous else (0, 0)
        elif start < end and (resident := re.match(r"Rss:\s+(\d+) kB", line)):
            if int(resident[1]) * 1024 >= _MIN_RESIDENT * (last - first):
                yield start, end
            start = end
