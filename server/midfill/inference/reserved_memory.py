"""Arrays of zeros that take memory page by page, as they are written.

A KV cache is reserved at its full size, and mostly filled in part. ``numpy.zeros`` would take memory that an earlier
step has freed, which the C library keeps (:mod:`midfill.inference.huge_pages`), and fill all of it with zeros. A
mapping of its own is untouched memory.
"""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midfill.common.errors import ModelTooLarge

_ALIGNMENT = 64
"""Bytes of a cache line."""
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
"""Windows has no such flags."""


def reserve(count: int, shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> list[NDArray[Any]]:
    """Return ``count`` arrays of zeros of this shape. The memory is free again when none of them is used any more.

    Raises:
        ModelTooLarge: the system has not so much memory, or this process may not have it.
    """
    numbers = math.prod(shape)
    size = -(-numbers * np.dtype(dtype).itemsize // _ALIGNMENT) * _ALIGNMENT
    try:
        mapping = mmap.mmap(-1, max(count * size, 1), **_PRIVATE)
    except OSError as error:
        raise ModelTooLarge(
            f"There is no memory for a prompt ({count * size / 1e6:.0f} MB): close other programs, or lower"
            " 'contextTokens'."
        ) from error
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # on Linux: else the first number of each 2 MB takes all of them
        mapping.madvise(mmap.MADV_NOHUGEPAGE)
    return [np.frombuffer(mapping, dtype, numbers, index * size).reshape(shape) for index in range(count)]
