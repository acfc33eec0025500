"""The SHA-256 of weights for which none is pinned: the one that the hub states, noted at the first pull.

Such a hash shows that the file came whole and unchanged from the hub. It does not show that the hub has the file that
it had when the catalogue was written. So the file's dimensions are compared with the catalogue's, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from midfill.common.errors import SourceError
from midfill_export.weights.downloader import Unavailable
from midfill_export.weights.hub import stated_by_hub
from midfill_export.weights.weights import Weights

Ask = Callable[[Weights], tuple[str, int]]
"""Returns the SHA-256 and the size of a file in bytes; raises ``Unavailable`` if that is not known."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def with_hash(weights: Weights, destination: Path, ask: Ask = stated_by_hub) -> Weights:
    """Return weights that have a SHA-256: the pinned one, else the one noted beside ``destination``, else the hub's.

    Raises:
        SourceError: nobody is known to have the file, or the hub does not state its hash.
    """
    if weights.sha256:
        return weights
    if not weights.hub_repo:
        raise SourceError(
            f"Nobody is known to have {weights.title} as a GGUF file: make one with llama.cpp's convert_hf_to_gguf.py,"
            " and run: midfill pull PATH"
        )
    note = _note(destination)
    if destination.is_file() and note.is_file() and _SHA256.fullmatch(noted := note.read_text(encoding="ascii")):
        return replace(weights, sha256=noted, size=destination.stat().st_size)
    try:
        sha256, size = ask(weights)
    except Unavailable as error:
        raise SourceError(
            f"{weights.title} could not be downloaded (the hub: {error}). On a machine with network, download"
            f" {weights.file} from the Hugging Face repository {weights.hub_repo}, copy it here, and run: midfill pull"
            " PATH"
        ) from error
    return replace(weights, sha256=sha256, size=size)


def note_hash(weights: Weights, destination: Path) -> None:
    """Note the hash of weights that were pulled, if none is pinned."""
    _note(destination).write_text(weights.sha256, encoding="ascii")


def _note(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.sha256")
