"""What a model would take on a machine, from its dimensions: memory, disk and milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.inference.bundle import KvLayout
from midfill_export.choice.machine import Machine
from midfill_export.weights.weights import Shape

PROMPT_TOKENS = 1024
"""Tokens that are read of a file that was not seen before."""
SUGGESTION_TOKENS = 16
CACHE_TOKENS = 4096
"""Tokens of the KV cache that the memory is given for."""
_SCALES = 1.03
"""Scales, biases and tables add so much to the integers (measured: the 0.5B)."""
_SHORTLIST = 0.5
"""Bytes of a weight of the last product that each token reads, and that are kept beside the 8-bit ones."""
_LEAST_PIECE = 1_500_000_000
"""Bytes that conversion takes beside the finished bundle: a piece of the model in FP32, and activations."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a model takes on a machine."""

    bundle: int
    """Bytes on disk."""
    memory: int
    """Bytes of memory while it serves."""
    making: int
    """Bytes of memory while ``pull`` converts it."""
    keystroke_ms: float
    """Until a keystroke in a known file is read."""
    suggestion_ms: float
    """For the tokens of a suggestion after that."""
    new_file_ms: float
    """Until the first suggestion in a file that was not seen before is complete."""


def estimate(shape: Shape, machine: Machine) -> Estimate:
    """Return what a model of these dimensions takes.

    A token reads all products once, and the last product in 4 bits. A step of a few tokens takes as long. A prompt is
    limited by multiplication instead.
    """
    cache = KvLayout(layers=shape.layers, heads=shape.kv_heads, head_size=shape.head_size).bytes_per_token
    # The embedding and the last product have a table of 8 bits each, and the last product one of 4 bits.
    bundle = int(_SCALES * (shape.products + (2 + _SHORTLIST) * shape.rows))
    read = shape.products + _SHORTLIST * shape.rows + PROMPT_TOKENS * cache
    step_ms = 1000 * read / machine.bytes_per_second
    prompt_ms = 1000 * PROMPT_TOKENS * shape.products / machine.products_per_second
    return Estimate(
        bundle=bundle,
        memory=bundle + CACHE_TOKENS * cache,
        making=bundle + _LEAST_PIECE,
        keystroke_ms=step_ms,
        suggestion_ms=SUGGESTION_TOKENS * step_ms,
        new_file_ms=prompt_ms + SUGGESTION_TOKENS * step_ms,
    )
