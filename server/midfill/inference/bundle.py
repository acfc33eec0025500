"""A model bundle: a folder with a model and a manifest that describes it. It is checked before it is used.

::

    manifest.json        format version, model, prompt format, quantisation, verification, a hash of each file
    v1/model.onnx        the graph
    v1/model.onnx.data   the weights, which onnxruntime maps into memory
    v1/tokenizer.json    the tokenizer, for the tokenizers library
    v1/draft.onnx        the same model in 4 bits, for drafts (:mod:`midfill.inference.model_drafts`); not always
    v1/draft.onnx.data   the weights in 4 bits

A bundle for a server's model has only the manifest and the tokenizer.

The manifest names the folder of the files (:mod:`midfill.inference.bundle_versions` says why). In format 1 the files
are beside the manifest.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import cattrs

from midfill.common.errors import BundleDamaged, BundleForeign, BundleNotFound, BundleTooNew, BundleWithoutWeights
from midfill.common.file_system import replace_file
from midfill.common.os_errors import explain
from midfill.common.regular_file import read_regular
from midfill.inference.bundle_files import FileEntry, check_files
from midfill.inference.manifest_check import CHECKSUM, checksum_of, fault_in
from midfill.inference.row_blocks import MAX_PADDING

FORMAT = 2
"""The format version. It is increased when older versions of Midfill would read a new bundle wrongly."""
MANIFEST = "manifest.json"
GRAPH = "model.onnx"
DRAFT_GRAPH = "draft.onnx"
TOKENIZER = "tokenizer.json"
VERSION = re.compile(r"v([1-9][0-9]{0,8})")
"""The name of a version's folder, with the version's number."""

MAX_INT8 = 127
"""Largest magnitude of an integer of 8 bits that weights and activations are rounded to."""
ANY_PROCESSOR = "any"
_TARGETS = (ANY_PROCESSOR, "vnni", "avx2", "arm64")

EditFormatName = Literal["plain", "sweep", "zeta"]
"""The name of a prompt format for edits (:mod:`midfill.next_edit.formats`)."""

MAX_MANIFEST_BYTES = 1_000_000
"""Maximum size of a manifest. The largest known has 10 KB, most of it the chat template."""
_MAKE_ONE = "make one with `midfill pull`"


@dataclass(frozen=True, kw_only=True)
class FimFormat:
    """The format of a model's fill-in-the-middle prompt. It is a part of the bundle's manifest."""

    order: Literal["suffix-first", "prefix-first", "prefix-only"]
    """The order of the two sides. ``suffix-first`` puts the prefix, which typing changes, last. ``prefix-only`` is for
    a model without FIM tokens."""
    prefix: int = -1
    suffix: int = -1
    middle: int = -1
    """Ids of the three control tokens; -1 for a model without them."""
    repository: int = -1
    file: int = -1
    """Ids of the control tokens before a repository's name and before a file's path. Models trained on whole
    repositories have them (StarCoder2, Qwen2.5-Coder). -1 for other models, which get other files as comments."""

    def __str__(self) -> str:
        if self.order == "prefix-only":
            return "no FIM: it sees only the text before the cursor"
        return f"FIM {self.order}"


@dataclass(frozen=True, kw_only=True)
class WeightSource:
    """Where the weights come from."""

    repository: str
    file: str
    sha256: str
    license: str


@dataclass(frozen=True, kw_only=True)
class KvLayout:
    """Names and sizes of the KV cache's inputs and outputs. Names contain ``{layer}`` and ``{part}`` (key or value)."""

    inputs: str = "past_key_values.{layer}.{part}"
    outputs: str = "present.{layer}.{part}"
    layers: int
    heads: int
    head_size: int
    dtype: Literal["float32", "float16"] = "float32"
    """The type of a number. Models whose query heads share no KV heads have ``float16``
    (:mod:`midfill_export.graph.half_cache`)."""

    @property
    def bytes_per_token(self) -> int:
        """Memory of one token in the cache, in bytes."""
        return self.layers * 2 * self.heads * self.head_size * (2 if self.dtype == "float16" else 4)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Two comparisons made at export: the FP32 graph with the checkpoint, and the INT8 graph with the FP32 graph."""

    graph_max_difference: float
    """Largest difference of a logit between the checkpoint in torch and the FP32 graph."""
    positions: int
    """Number of next tokens compared, in FIM prompts from source code."""
    top1_agreement: float
    """Fraction of the positions where INT8 and FP32 have the same most likely token, 0 to 1."""
    mean_kl: float
    """Mean Kullback-Leibler divergence of INT8 from FP32, in nats."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that is known about a bundle."""

    format: int
    made_by: str
    name: str
    family: str
    source: WeightSource
    fim: FimFormat
    fim_tokens: dict[str, str]
    """The texts of the FIM tokens, for people who read the manifest."""
    stop_tokens: list[int]
    """Ids of the tokens before which a text ends."""
    chat_template: str
    """The model's chat template, in Jinja; "" if it has none."""
    context_length: int
    """Maximum number of tokens of a prompt together with the text after it."""
    vocabulary: int
    """Number of token ids, and of logits in a row (V)."""
    kv: KvLayout
    quantisation: dict[str, Any]
    verification: Verification
    files: dict[str, FileEntry]
    target: str = ANY_PROCESSOR
    """The kind of processor that the bundle is for. Versions before 0.3 made bundles for one kind; all run anywhere."""
    stretch: dict[str, Any] = field(default_factory=dict)
    """How ``context_length`` was made longer than in training (:mod:`midfill_export.graph.rope_scaling`); empty if it
    was not."""
    folder: str = ""
    """The version's folder, in the bundle's folder; "" if the files are beside the manifest."""
    edit_format: EditFormatName = "plain"
    """The prompt format that the model was trained to predict edits in; ``plain`` if it was not."""

    @property
    def has_weights(self) -> bool:
        """Whether the model can run on this machine. A bundle without weights is for a server's model."""
        return GRAPH in self.files

    @property
    def has_draft_graph(self) -> bool:
        """Whether there is a graph in 4 bits that drafts (:mod:`midfill.inference.model_drafts`)."""
        return DRAFT_GRAPH in self.files

    @property
    def usable_context(self) -> int:
        """``context_length`` less the places that the padding of a run may take."""
        return max(self.context_length - MAX_PADDING, 1)

    @property
    def weight_limit(self) -> int:
        """Largest magnitude of a weight, 1 to 127."""
        limit = self.quantisation.get("weight_limit", MAX_INT8)
        return limit if isinstance(limit, int) and 0 < limit <= MAX_INT8 else MAX_INT8


@dataclass(frozen=True)
class Bundle:
    """A checked bundle."""

    path: Path
    """The bundle's folder, which has the manifest."""
    manifest: Manifest

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self.path / self.manifest.folder

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.folder / GRAPH

    @property
    def draft_graph(self) -> Path:
        """The ONNX file of the graph in 4 bits, if the bundle has one."""
        return self.folder / DRAFT_GRAPH

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's file."""
        return self.folder / TOKENIZER


def load_bundle(path: Path) -> Bundle:
    """Read and check the bundle in the folder ``path``.

    A file is hashed only if its size or its time of change differ from those at its last check.

    Raises:
        BundleNotFound: there is no such folder, or it has no manifest.
        BundleWithoutWeights: it is for a server's model.
        BundleForeign: the manifest is not Midfill's, or the bundle is for an unknown kind of processor.
        BundleTooNew: the format is newer than this version of Midfill.
        BundleDamaged: a file is missing, or differs from what the manifest says.
    """
    manifest = read_manifest(path)
    if not manifest.has_weights:
        raise BundleWithoutWeights(
            f"{path} has no weights, only what a server's model needs: set 'engine' to the address of a server, or get"
            " the weights with `midfill pull`."
        )
    bundle = Bundle(path, manifest)
    check_files(bundle.folder, manifest.files)
    return bundle


def load_tokenizer_bundle(path: Path) -> Bundle:
    """Read the bundle in the folder ``path``, with or without weights, and check its tokenizer alone.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    manifest = read_manifest(path)
    bundle = Bundle(path, manifest)
    check_files(bundle.folder, {TOKENIZER: manifest.files[TOKENIZER]})
    return bundle


def read_manifest(path: Path) -> Manifest:
    """Read the manifest in the folder ``path``.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    file = path / MANIFEST
    try:
        text = read_regular(file, MAX_MANIFEST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise BundleNotFound(f"There is no model bundle in {path}: {_MAKE_ONE}, or set 'bundle'.") from None
    except OSError as error:
        raise BundleDamaged(f"{file} cannot be read ({explain(error)}): export it again.") from None
    except ValueError:
        raise BundleDamaged(f"{file} is no path of a file: {_MAKE_ONE}, or set 'bundle'.") from None
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BundleDamaged(f"{file} is not valid JSON: export the bundle again.") from None
    version = data.get("format") if isinstance(data, dict) else None
    if type(version) is not int or version < 1 or "files" not in data:
        raise BundleForeign(f"{path} is no Midfill bundle (its manifest names no format): {_MAKE_ONE}.")
    if version > FORMAT:
        raise BundleTooNew(f"{path} has format {version}, this Midfill reads up to {FORMAT}: upgrade Midfill.")
    manifest = _structure(data, file)
    if manifest.folder and not VERSION.fullmatch(manifest.folder):
        raise BundleDamaged(f"{file} names {manifest.folder!r}, no version's folder: export it again.")
    needed = {TOKENIZER} if manifest.files.keys() == {TOKENIZER} else {GRAPH, TOKENIZER}
    if missing := needed - manifest.files.keys():
        raise BundleDamaged(f"{file} does not list {min(missing)}: export the bundle again.")
    if manifest.target not in _TARGETS:
        raise BundleForeign(
            f"{path} is for processors of the kind '{manifest.target}', which this Midfill does not know: {_MAKE_ONE}."
        )
    return manifest


def _structure(data: dict[str, Any], file: Path) -> Manifest:
    """Return the manifest that a file's JSON is, once its values are known to be possible and unchanged.

    Raises:
        BundleDamaged: they are not.
    """
    if fault := fault_in(data):
        raise BundleDamaged(f"{file} is wrong ({fault}): export the bundle again.")
    try:
        is_changed = CHECKSUM in data and data[CHECKSUM] != checksum_of(data)
        manifest = cattrs.structure(data, Manifest)
    except cattrs.BaseValidationError as error:
        detail = cattrs.transform_error(error)[0]
        raise BundleDamaged(f"{file} is incomplete ({detail}): export the bundle again.") from None
    except RecursionError:
        raise BundleDamaged(f"{file} is nested too deeply: export the bundle again.") from None
    if is_changed:
        raise BundleDamaged(f"{file} is not what was written (its checksum differs): export the bundle again.")
    return manifest


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write ``manifest`` into the folder ``path``, in one step: a reader gets the old one or the new one."""
    written = path / f".{MANIFEST}.{os.getpid()}"
    values = asdict(manifest)
    values[CHECKSUM] = checksum_of(values)
    try:
        with written.open("w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(values, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        replace_file(written, path / MANIFEST)
    finally:
        written.unlink(missing_ok=True)
