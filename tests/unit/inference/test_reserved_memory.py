"""Reserved arrays are zeros that can be written, apart from each other, and take no memory before."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from midfill.common.errors import ModelTooLarge
from midfill.inference.reserved_memory import reserve


def test_arrays_are_apart() -> None:
    """What is written to one is in no other; each begins at a cache line."""
    first, second = reserve(2, (3, 5), np.float32)
    first[:] = 7
    assert not second.any()
    assert second.dtype == np.float32
    assert second.shape == (3, 5)
    assert (second.ctypes.data - first.ctypes.data) % 64 == 0


def test_untouched_arrays_take_no_memory() -> None:
    """Memory that is reserved after much was freed is not filled with zeros."""
    process = psutil.Process()
    before = process.memory_info().rss
    [array] = reserve(1, (64, 1 << 20), np.float16)  # 128 MB
    array[0] = 1
    assert process.memory_info().rss - before < 32 << 20
    assert array[1, 0] == 0


def test_memory_that_the_system_does_not_have() -> None:
    """The line says what is wrong and what to do."""
    with pytest.raises(ModelTooLarge, match=r"\AThere is no memory for a prompt \(\d+ MB\): .+ 'contextTokens'\.\Z"):
        reserve(1, (1 << 55,), np.float32)
