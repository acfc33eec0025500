"""The folder of a bundle: a graph, a tokenizer and a manifest, completed in scratch and then moved to its place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tokenizers import Tokenizer

from midfill import __version__
from midfill.common.errors import ExportError
from midfill.inference.bundle import (
    FORMAT,
    GRAPH,
    TOKENIZER,
    FimFormat,
    KvLayout,
    Manifest,
    Verification,
    WeightSource,
    describe_files,
    write_manifest,
)
from midfill_export.build.verify import Agreement


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that a bundle says of its model, whatever graph is in it; the fields are those of the manifest."""

    name: str
    family: str
    source: WeightSource
    tokenizer: Tokenizer
    chat_template: str
    fim: FimFormat
    fim_tokens: dict[str, str]
    stop_tokens: list[int]
    context_length: int
    vocabulary: int
    kv: KvLayout
    stretch: dict[str, Any] = field(default_factory=dict)


@contextmanager
def scratch_beside(out: Path) -> Iterator[Path]:
    """Give a folder on the same disk as ``out``, which is removed at the end; a full disk becomes an ExportError.

    What killed processes left there is removed first.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(out)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-{os.getpid()}-", dir=out.parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise ExportError(f"{out.parent}: {error.strerror or error}; nothing was left behind.") from error


def _remove_leftovers(out: Path) -> None:
    for folder in out.parent.glob(f".{out.name}-*-*"):
        process = folder.name.removeprefix(f".{out.name}-").partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def complete_bundle(
    description: Description,
    folder: Path,
    quantisation: dict[str, Any],
    difference: float,
    agreement: Agreement,
) -> Manifest:
    """Put the tokenizer and the manifest beside a graph, which makes the folder a bundle.

    Args:
        description: What the bundle says of its model.
        folder: Where the graph and its weights are.
        quantisation: The recipe of the graph (:meth:`midfill_export.quantization.quantize.Recipe.describe`).
        difference: Largest difference of a logit between the FP32 graph and the checkpoint.
        agreement: Between the graph and the FP32 graph.
    """
    description.tokenizer.no_padding()
    description.tokenizer.no_truncation()
    description.tokenizer.save(str(folder / TOKENIZER))
    manifest = Manifest(
        format=FORMAT,
        made_by=f"midfill {__version__}",
        name=description.name,
        family=description.family,
        source=description.source,
        fim=description.fim,
        fim_tokens=description.fim_tokens,
        stop_tokens=description.stop_tokens,
        chat_template=description.chat_template,
        context_length=description.context_length,
        vocabulary=description.vocabulary,
        kv=description.kv,
        quantisation=quantisation,
        verification=Verification(
            graph_max_difference=difference,
            positions=agreement.positions,
            top1_agreement=agreement.top1,
            mean_kl=agreement.mean_kl,
        ),
        files=describe_files(folder, [GRAPH, f"{GRAPH}.data", TOKENIZER]),
        stretch=description.stretch,
    )
    write_manifest(folder, manifest)
    return manifest


def folder_size(folder: Path) -> int:
    """Return the number of bytes of all files in ``folder``."""
    return sum(file.stat().st_size for file in folder.iterdir())


def put_in_place(bundle: Path, out: Path) -> None:
    """Move the finished bundle to ``out``; an older one there is kept until the new one is in its place."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    bundle.rename(out)
    shutil.rmtree(old, ignore_errors=True)
