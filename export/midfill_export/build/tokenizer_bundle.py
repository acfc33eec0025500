"""A bundle for a server's model: its tokenizer and its prompt format, from a GGUF, without weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from midfill.common.errors import BundleError
from midfill.inference.bundle import Manifest, read_manifest
from midfill_export.build.bundle_folder import complete_bundle, put_in_place, require_bundle_folder, scratch_beside
from midfill_export.build.from_gguf import describe_gguf
from midfill_export.build.verify import Agreement
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.weights.known_models import Served
from midfill_export.weights.weights import Weights

_NOTHING_COMPARED = Agreement(positions=0, top1=0.0, mean_kl=0.0)


def is_there(served: Served, out: Path) -> bool:
    """Tell whether ``out`` is a bundle of that model, with or without weights."""
    try:
        return read_manifest(out).name.lower() == served.title.lower()
    except BundleError:
        return False


def tokenizer_bundle(served: Served, weights: Weights, path: Path, out: Path) -> Manifest:
    """Make the bundle folder ``out`` for a server's model.

    Args:
        served: The server's model.
        weights: Weights of a model with the same tokenizer.
        path: Their GGUF file.
        out: The bundle's folder.

    Raises:
        SourceError: the file cannot be read.
        ExportError: the disk is full, or the folder cannot be written, or it has other files.
    """
    require_bundle_folder(out)
    description = describe_gguf(weights, open_gguf(path))
    source = replace(description.source, license=served.licence)
    with scratch_beside(out) as scratch:
        bundle = scratch / "bundle"
        bundle.mkdir()
        named = replace(description, name=served.title, source=source)
        return put_in_place(bundle, complete_bundle(named, bundle, {}, 0.0, _NOTHING_COMPARED), out)
