"""How many tokens a run of the graph computes together, so that a token's logits do not depend on the tokens beside it.

Reuse of a KV cache and speculative decoding are exact only if a token gets the same bits in a run of its own and in a
run with others. onnxruntime's kernels for few rows differ from those for many:

* On x86-64 a single row differs, and in ``lm_head`` the last row of an odd number. So a run has at least two tokens,
  and an even number of rows of logits.
* On arm64, ``GroupQueryAttention`` rounds a row by its place among the rows and by the number of keys, and ``lm_head``
  by its place. Multiples of four give equal bits (onnxruntime 1.32, emulated: of 192 splits of an attention none
  differs; at multiples of two, 66 do). Eight leaves room for other processors.

A run begins earlier than it must to reach such a multiple, and computes the last tokens before it once more. It ends
later, with padding. ``midfill doctor`` checks on the real machine that this is enough.
"""

from __future__ import annotations

import platform

MIN_ROWS = 2
"""Minimum number of tokens of a run. Its number of rows of logits is a multiple of this, or of a longer block."""
_ARM64_BLOCK = 8
MAX_PADDING = _ARM64_BLOCK - 1
"""Maximum number of tokens that pad a run. All machines leave room for them, so that prompts are the same on all."""
_X86_64 = ("x86_64", "amd64")


def row_block(machine: str | None = None) -> int:
    """Return the length of a block, in tokens. A run must begin and end where a block does.

    Args:
        machine: the processor's name as ``platform.machine`` gives it; None for this machine. An unknown one gets what
            is exact on every known processor.
    """
    return 1 if (machine or platform.machine()).lower() in _X86_64 else _ARM64_BLOCK


def round_up(count: int, multiple: int) -> int:
    """Return the smallest multiple of ``multiple`` that is at least ``count``."""
    return -(-count // multiple) * multiple
