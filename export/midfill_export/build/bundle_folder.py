"""The folder of a bundle: a graph, a tokenizer and a manifest, completed in scratch and then put in its place."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import filelock
import psutil
from tokenizers import Tokenizer

from midfill import __version__
from midfill.common.errors import ExportError
from midfill.common.os_errors import explain
from midfill.common.regular_file import read_regular
from midfill.inference.bundle import (
    DRAFT_GRAPH,
    FORMAT,
    GRAPH,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    TOKENIZER,
    VERSION,
    Bundle,
    EditFormatName,
    FimFormat,
    KvLayout,
    Manifest,
    Verification,
    WeightSource,
    write_manifest,
)
from midfill.inference.bundle_files import describe_files
from midfill.inference.bundle_versions import discard_version, next_version, remove_old_versions
from midfill.inference.manifest_check import fault_in
from midfill_export.build.verify import Agreement

_FILES = (GRAPH, f"{GRAPH}.data", DRAFT_GRAPH, f"{DRAFT_GRAPH}.data", TOKENIZER)


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
    edit_format: EditFormatName = "plain"


@contextmanager
def scratch_beside(out: Path) -> Iterator[Path]:
    """Give a folder on the same disk as ``out``, which is removed at the end; a full disk becomes an ExportError.

    What killed processes left there is removed first.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(out)
        prefix = f"{_scratch_prefix(out)}{os.getpid()}-"
        # Windows keeps a file that is still mapped: the next process removes it.
        with tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent, ignore_cleanup_errors=True) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise ExportError(f"{out.parent}: {explain(error)}; nothing was left behind.") from error


def _scratch_prefix(out: Path) -> str:
    return f".{out.name}-"


def _remove_leftovers(out: Path) -> None:
    prefix = _scratch_prefix(out)
    for folder in out.parent.iterdir():
        process, _, rest = folder.name.removeprefix(prefix).partition("-")
        if folder.name.startswith(prefix) and rest and process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def complete_bundle(
    description: Description,
    folder: Path,
    quantisation: dict[str, Any],
    difference: float,
    agreement: Agreement,
) -> Manifest:
    """Put the tokenizer and the manifest beside a graph, which makes the folder a bundle.

    Without a graph, it becomes a bundle for a server's model.

    Args:
        description: What the bundle says of its model.
        folder: Where the graph and its weights are, if there are any.
        quantisation: The recipe of the graph (:meth:`midfill_export.quantization.quantize.Recipe.describe`).
        difference: Largest difference of a logit between the FP32 graph and the checkpoint.
        agreement: Between the graph and the FP32 graph.

    Raises:
        ExportError: the model has a value that no bundle may have.
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
        files=describe_files(folder, [name for name in _FILES if (folder / name).exists()]),
        stretch=description.stretch,
        edit_format=description.edit_format,
    )
    if fault := fault_in(asdict(manifest)):
        raise ExportError(f"{description.name} cannot become a bundle: {fault}.")
    write_manifest(folder, manifest)
    return manifest


def folder_size(folder: Path) -> int:
    """Return the number of bytes of all files in ``folder``."""
    return sum(file.stat().st_size for file in folder.iterdir())


def require_bundle_folder(out: Path) -> None:
    """Refuse a path where a bundle would be mixed with other files.

    Raises:
        ExportError: ``out`` is a file, or a folder with other things than a bundle.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportError(f"{out} is not a folder: name another place for the bundle.")
    if (out / MANIFEST).exists():
        is_ours = _is_replaceable(out / MANIFEST)
    else:
        is_ours = all(entry.name.startswith(".") or VERSION.fullmatch(entry.name) for entry in out.iterdir())
    if not is_ours:
        raise ExportError(f"{out} has other files than a bundle's: name an empty or a new folder.")


def _is_replaceable(manifest: Path) -> bool:
    """Tell whether a manifest is Midfill's, or is damaged."""
    try:
        data = json.loads(read_regular(manifest, MAX_MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return True
    return isinstance(data, dict) and {"format", "files"} <= data.keys()


def put_in_place(built: Path, manifest: Manifest, out: Path) -> Manifest:
    """Make the files in the folder ``built`` the newest version of the bundle ``out``; return its manifest.

    The bundle is switched in one step. A server that has an older version in memory keeps it. Of two processes that do
    this at the same time, the second waits.

    Raises:
        OSError: the disk is full, or a folder cannot be written; the bundle is as it was.
    """
    gc.collect()  # Windows moves no file that an object nobody uses any more has mapped
    out.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(out / ".lock"):
        manifest = replace(manifest, format=FORMAT, folder=next_version(out))
        try:
            _move_files(built, list(manifest.files), out / manifest.folder)
            write_manifest(out, manifest)
        except BaseException:
            discard_version(out, manifest.folder)
            raise
        remove_old_versions(out)
    return manifest


def copy_bundle(bundle: Bundle, out: Path) -> None:
    """Make a copy of a bundle the newest version of the bundle ``out``.

    Raises:
        OSError: as :func:`put_in_place`.
    """
    with scratch_beside(out) as scratch:
        _copy_files(bundle.folder, list(bundle.manifest.files), scratch / "copy")
        put_in_place(scratch / "copy", bundle.manifest, out)


def _move_files(folder: Path, names: Sequence[str], target: Path) -> None:
    target.mkdir()
    for name in names:
        try:
            (folder / name).replace(target / name)
        except OSError:  # the bundle is on another disk, or Windows has not closed the file yet
            shutil.copyfile(folder / name, target / name)


def _copy_files(folder: Path, names: Sequence[str], target: Path) -> None:
    target.mkdir()
    for name in names:
        shutil.copyfile(folder / name, target / name)
