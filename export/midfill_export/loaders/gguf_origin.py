"""What a GGUF says of where it comes from: the model's name, and its licence."""

from __future__ import annotations

from midfill.common.printable import printable
from midfill_export.loaders.gguf_file import GgufFile
from midfill_export.weights.weights import Weights, bundle_name

UNKNOWN = "unknown"
_MAX_NAME = 60
"""Maximum number of characters of a licence's name."""


def unlisted_weights(gguf: GgufFile, sha256: str) -> Weights:
    """Return what is known of a file that is not in the catalogue."""
    return Weights(
        name=bundle_name(gguf.path.name),
        title=printable(gguf.path.stem),
        licence=gguf_licence(gguf),
        file=printable(gguf.path.name),
        size=gguf.path.stat().st_size,
        sha256=sha256,
        hub_repo=UNKNOWN,
        hub_revision="",
    )


def gguf_licence(gguf: GgufFile) -> str:
    """Return the licence that the metadata name."""
    return name_of_licence(gguf.fields.get("general.license"), gguf.fields.get("general.license.name"))


def name_of_licence(identifier: object, name: object) -> str:
    """Return the name of a licence where its identifier is missing or "other"."""
    if isinstance(name, str) and name and identifier in (None, "other"):
        return printable(name[:_MAX_NAME])
    return printable(identifier[:_MAX_NAME]) if isinstance(identifier, str) and identifier else UNKNOWN
