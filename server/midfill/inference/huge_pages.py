"""Memory as Linux gives it best to a model: large pages under the weights, and freed activations kept.

A token reads all weights once. In pages of 4 kB, each page costs an address translation and ends what the processor
fetches ahead; in pages of 2 MB a lone token's step is a tenth faster. Programs have to ask for them
(``madvise(MADV_HUGEPAGE)``, Linux's transparent huge pages), and onnxruntime does not.

A chunk of a prompt allocates some 25 MB of activations. glibc would return them at the end of the step and get them
back page by page, all zeroed, at the next one: a twentieth of a prefill.
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
_PAGE = 1 << 21
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 64 << 20
"""Bytes of freed memory that glibc may hold back for the next step."""
_IN_HEAP = 32 << 20
"""The largest allocation that glibc takes from what it holds: its own limit."""
_FULL = 0.9
"""Share of a mapping that must be in use: a large page would fill the rest with zeros."""


def arrange() -> threading.Thread | None:
    """Keep freed memory for the next step, and put what is in memory now into large pages, in the background.

    Elsewhere than on Linux with glibc, and where the system's administrator wants no large pages, less or nothing is
    done; what fails is left as it is.

    Returns:
        The thread that does the second; None where there is none.
    """
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _IN_HEAP)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
    try:
        if "[never]" in _POLICY.read_text(encoding="ascii"):
            return None
    except (OSError, ValueError):
        return None
    thread = threading.Thread(target=_enlarge, args=(library,), name="large pages", daemon=True)
    thread.start()
    return thread


def _enlarge(library: ctypes.CDLL) -> None:
    """Ask for large pages wherever they would be full, and have Linux 6.1 or newer make them now, not by and by."""
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
    """Find, in lines of ``/proc/PID/smaps``, the large pages in anonymous memory that is written to and in use.

    Yields:
        First address and the one after the last, both multiples of a large page.
    """
    start = end = 0
    for line in smaps:
        if mapping := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line):
            first, last = int(mapping[1], 16), int(mapping[2], 16)
            anonymous = mapping[3].startswith("rw") and mapping[4] in ("", "[heap]")
            start, end = (-(-first // _PAGE) * _PAGE, last // _PAGE * _PAGE) if anonymous else (0, 0)
        elif start < end and (resident := re.match(r"Rss:\s+(\d+) kB", line)):
            if int(resident[1]) * 1024 >= _FULL * (last - first):
                yield start, end
            start = end
