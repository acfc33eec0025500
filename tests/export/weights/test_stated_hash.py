"""Weights whose SHA-256 is not pinned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from export.weights.tiny_weights import CONTENT, TINY
from midfill.common.errors import SourceError
from midfill_export.weights.downloader import Unavailable
from midfill_export.weights.stated_hash import note_hash, with_hash
from midfill_export.weights.weights import Weights

UNPINNED = replace(TINY, sha256="", size=0)


def stated(weights: Weights) -> tuple[str, int]:
    """State what the hub would."""
    return TINY.sha256, TINY.size


def silent(weights: Weights) -> tuple[str, int]:
    """Stand for a hub that cannot be reached."""
    raise Unavailable("it does not answer")


def test_pinned_hash_is_not_asked_for(destination: Path) -> None:
    """Nobody else is believed."""
    assert with_hash(TINY, destination, silent) == TINY


def test_hub_states_it_once(destination: Path) -> None:
    """Later it is known without the hub, as long as the file is there."""
    assert with_hash(UNPINNED, destination, stated) == TINY
    destination.parent.mkdir()
    destination.write_bytes(CONTENT)
    note_hash(TINY, destination)
    assert with_hash(UNPINNED, destination, silent) == TINY
    destination.unlink()
    with pytest.raises(SourceError, match=r"Tiny could not be downloaded \(the hub: it does not answer\)\. On a ma"):
        with_hash(UNPINNED, destination, silent)


def test_model_that_nobody_has(destination: Path) -> None:
    """The line says how to make its file."""
    with pytest.raises(SourceError, match=r"Nobody is known to have Tiny as a GGUF file: make one with llama\.cpp's"):
        with_hash(replace(UNPINNED, hub_repo=""), destination, stated)
