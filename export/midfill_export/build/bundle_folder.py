"""The bundle: what it says of its model, its files, and its place, which it takes when it is whole or not at all."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx_ir as ir
import psutil
from tokenizers import Tokenizer

from midfill import __version__
from midfill.common.errors import ExportError
from midfill.inference.bundle import (
    FORMAT,
    GRAPH,
    TOKENIZER,
    KvLayout,
    Manifest,
    Verification,
    WeightSource,
    describe_files,
    write_manifest,
)
from midfill.prompt.fim import FimFormat
from midfill_export.build.verify import Agreement
from midfill_export.graph import graph
from midfill_export.graph.grouped_attention import add_grouped_attention
from midfill_export.quantization.calibrate import Moments
from midfill_export.quantization.quantize import Recipe, quantise

OnStage = Callable[[str], None]
"""Told one line at the start of each stage and at its end."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that a bundle says of its model, whatever graph is in it."""

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
    """Give a folder on the same disk as ``out`` that goes away again; a full disk becomes an ExportError.

    What processes that were killed left there goes away first.
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


def write_int8(model: ir.Model, recipe: Recipe, moments: Moments, path: Path) -> None:
    """Quantise an FP32 graph and write it to ``path``, its weights beside it."""
    quantise(model, recipe, moments)
    add_grouped_attention(model.graph)
    graph.save(model, path)
    gc.collect()


def complete_bundle(
    about: Description,
    folder: Path,
    quantisation: dict[str, Any],
    target: str,
    difference: float,
    agreement: Agreement,
) -> Manifest:
    """Put the tokenizer and the manifest beside a graph, which makes a folder a bundle."""
    about.tokenizer.no_padding()
    about.tokenizer.no_truncation()
    about.tokenizer.save(str(folder / TOKENIZER))
    manifest = Manifest(
        format=FORMAT,
        made_by=f"midfill {__version__}",
        name=about.name,
        family=about.family,
        source=about.source,
        fim=about.fim,
        fim_tokens=about.fim_tokens,
        stop_tokens=about.stop_tokens,
        chat_template=about.chat_template,
        context_length=about.context_length,
        vocabulary=about.vocabulary,
        kv=about.kv,
        quantisation=quantisation,
        target=target,
        verification=Verification(
            graph_max_difference=difference,
            positions=agreement.positions,
            top1_agreement=agreement.top1,
            mean_kl=agreement.mean_kl,
        ),
        files=describe_files(folder, [GRAPH, f"{GRAPH}.data", TOKENIZER]),
        stretch=about.stretch,
    )
    write_manifest(folder, manifest)
    return manifest


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in ``folder``."""
    return sum(file.stat().st_size for file in folder.iterdir())


def put_in_place(bundle: Path, out: Path) -> None:
    """Move the finished bundle to ``out``; an older one there is kept until the new one stands."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    bundle.rename(out)
    shutil.rmtree(old, ignore_errors=True)
