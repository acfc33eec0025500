"""How much memory a model will take, computed from its bundle before it is loaded."""

from __future__ import annotations

import psutil

from midfill.common.errors import ModelTooLarge
from midfill.inference.bundle import DRAFT_GRAPH, Manifest

_FREE_FOR_DRAFTS = 4
"""How many times the size of the graph that drafts must be free, so that other programs keep most of the memory."""


def memory_needed(manifest: Manifest, tokens: int) -> int:
    """Return the number of bytes that a model takes with a KV cache of ``tokens``, without the graph that drafts.

    The weights count as they are on disk: they take less in memory, and the rest is room for activations.
    """
    files = sum(entry.size for entry in manifest.files.values()) - draft_bytes(manifest)
    return files + tokens * manifest.kv.bytes_per_token


def has_room_for_drafts(manifest: Manifest, free: int) -> bool:
    """Return whether the graph that drafts should be loaded besides the model: it makes the model only faster.

    Args:
        manifest: of the bundle.
        free: number of bytes that are free once the model is loaded.
    """
    return manifest.has_draft_graph and draft_bytes(manifest) * _FREE_FOR_DRAFTS <= free


def draft_bytes(manifest: Manifest) -> int:
    """Return about how many bytes the graph that drafts takes; 0 if there is none."""
    return sum(entry.size for name, entry in manifest.files.items() if name.startswith(DRAFT_GRAPH))


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
