"""How much memory a model will take, computed from its bundle before it is loaded."""

from __future__ import annotations

import psutil

from midfill.common.errors import ModelTooLarge
from midfill.inference.bundle import Manifest


def memory_needed(manifest: Manifest, tokens: int) -> int:
    """Return the number of bytes that a model takes with a KV cache of ``tokens``.

    The weights count as they are on disk: they take less in memory, and the rest is room for activations.
    """
    return sum(entry.size for entry in manifest.files.values()) + tokens * manifest.kv.bytes_per_token


def require_memory(manifest: Manifest, tokens: int, limit: int, setting: str) -> None:
    """Check that a model with a KV cache of ``tokens`` fits into ``limit`` bytes, which ``setting`` says, and is free.

    Raises:
        ModelTooLarge: it does not.
    """
    needed = memory_needed(manifest, tokens)
    if needed > limit:
        raise ModelTooLarge(
            f"{manifest.name} needs about {_megabytes(needed)}, and '{setting}' allows {_megabytes(limit)}: raise it,"
            " or choose a smaller model."
        )
    free = psutil.virtual_memory().available
    if needed > free:
        raise ModelTooLarge(
            f"{manifest.name} needs about {_megabytes(needed)}, and {_megabytes(free)} are free: close other programs,"
            " or choose a smaller model."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
