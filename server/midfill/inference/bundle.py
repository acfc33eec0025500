"""A model bundle: a folder with a model and a manifest that describes it. It is checked before it is used.

::

    manifest.json        format version, model, prompt format, quantisation, verification, a hash of each file
    v1/model.onnx        the graph
    v1/model.onnx.data   the weights, which onnxruntime maps into memory
    v1/tokenizer.json    the tokenizer, for the tokenizers library

The manifest names the folder of the files (:mod:`midfill.inference.bundle_versions` says why). In format 1 the files
are beside the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import cattrs

from midfill.common.errors import BundleDamaged, BundleForeign, BundleNotFound, BundleTooNew
from midfill.common.file_system import replace_file
from midfill.common.json_store import JsonStore
from midfill.inference.row_blocks import MAX_PADDING

FORMAT = 2
"""The format version. It is increased when older versions of Midfill would read a new bundle wrongly."""
MANIFEST = "manifest.json"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
VERSION = re.compile(r"v([1-9][0-9]{0,8})")
"""The name of a version's folder, with the version's number."""

MAX_INT8 = 127
"""Largest magnitude of an integer of 8 bits that weights and activations are rounded to."""
ANY_PROCESSOR = "any"
_TARGETS = (ANY_PROCESSOR, "vnni", "avx2", "arm64")

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
    dtype: str = "float32"

    @property
    def bytes_per_token(self) -> int:
        """Memory of one token in the cache, in bytes."""
        return self.layers * 2 * self.heads * self.head_size * 4


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
class FileEntry:
    """Size in bytes and SHA-256 of one file of the bundle."""

    size: int
    sha256: str


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
    def tokenizer(self) -> Path:
        """The tokenizer's file."""
        return self.folder / TOKENIZER


def load_bundle(path: Path) -> Bundle:
    """Read and check the bundle in the folder ``path``.

    A file is hashed only if its size or its time of change differ from those at its last check.

    Raises:
        BundleNotFound: there is no such folder, or it has no manifest.
        BundleForeign: the manifest is not Midfill's, or the bundle is for an unknown kind of processor.
        BundleTooNew: the format is newer than this version of Midfill.
        BundleDamaged: a file is missing, or differs from what the manifest says.
    """
    manifest = read_manifest(path)
    bundle = Bundle(path, manifest)
    check_files(bundle.folder, manifest)
    return bundle


def read_manifest(path: Path) -> Manifest:
    """Read the manifest in the folder ``path``.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    try:
        text = (path / MANIFEST).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise BundleNotFound(f"There is no model bundle in {path}: {_MAKE_ONE}, or set 'bundle'.") from None
    except (OSError, ValueError) as error:
        raise BundleDamaged(f"{path / MANIFEST} cannot be read ({type(error).__name__}): export it again.") from None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BundleDamaged(f"{path / MANIFEST} is not valid JSON: export the bundle again.") from None
    version = data.get("format") if isinstance(data, dict) else None
    if not isinstance(version, int) or version < 1 or "files" not in data:
        raise BundleForeign(f"{path} is no Midfill bundle (its manifest names no format): {_MAKE_ONE}.")
    if version > FORMAT:
        raise BundleTooNew(f"{path} has format {version}, this Midfill reads up to {FORMAT}: upgrade Midfill.")
    try:
        manifest = cattrs.structure(data, Manifest)
    except cattrs.BaseValidationError as error:
        detail = cattrs.transform_error(error)[0]
        raise BundleDamaged(f"{path / MANIFEST} is incomplete ({detail}): export the bundle again.") from None
    if manifest.folder and not VERSION.fullmatch(manifest.folder):
        raise BundleDamaged(f"{path / MANIFEST} names {manifest.folder!r}, no version's folder: export it again.")
    if missing := {GRAPH, TOKENIZER} - manifest.files.keys():
        raise BundleDamaged(f"{path / MANIFEST} does not list {min(missing)}: export the bundle again.")
    if manifest.target not in _TARGETS:
        raise BundleForeign(
            f"{path} is for processors of the kind '{manifest.target}', which this Midfill does not know: {_MAKE_ONE}."
        )
    return manifest


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write ``manifest`` into the folder ``path``, in one step: a reader gets the old one or the new one."""
    written = path / f".{MANIFEST}.{os.getpid()}"
    try:
        with written.open("w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(asdict(manifest), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        replace_file(written, path / MANIFEST)
    finally:
        written.unlink(missing_ok=True)


def describe_files(path: Path, names: list[str]) -> dict[str, FileEntry]:
    """Return the sizes and hashes of the named files in the folder ``path``."""
    return {name: FileEntry(size=(path / name).stat().st_size, sha256=hash_file(path / name)) for name in names}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_files(path: Path, manifest: Manifest) -> None:
    """Compare every file in the folder ``path`` (:attr:`Bundle.folder`) with the manifest.

    Raises:
        BundleDamaged: a file is missing or differs. The message names the first one.
    """
    verified = _VerifiedFiles()
    for name, entry in manifest.files.items():
        file = path / name
        try:
            size = file.stat().st_size
        except OSError:
            raise BundleDamaged(f"{file} is missing: export the bundle again.") from None
        if size != entry.size:
            raise BundleDamaged(f"{file} has {size} bytes instead of {entry.size}: export the bundle again.")
        if verified.has(file, entry.sha256):
            continue
        try:
            found = hash_file(file)
        except OSError as error:
            raise BundleDamaged(f"{file} cannot be read ({type(error).__name__}): export the bundle again.") from None
        if found != entry.sha256:
            raise BundleDamaged(f"{file} is not what was exported (its SHA-256 differs): export the bundle again.")
        verified.add(file, entry.sha256)
    verified.save()


class _VerifiedFiles:
    """Remembers in the cache folder which files were hashed, with their sizes and times of change."""

    def __init__(self) -> None:
        self._stamps = JsonStore("verified")
        self._new: dict[str, list[Any]] = {}

    def has(self, file: Path, sha256: str) -> bool:
        return bool(self._stamps.get(str(file.resolve())) == self._stamp(file, sha256))

    def add(self, file: Path, sha256: str) -> None:
        self._new[str(file.resolve())] = self._stamp(file, sha256)

    def save(self) -> None:
        if self._new:  # if this fails, the only cost is a second of hashing at each start
            self._stamps.update(lambda values: values.update(self._new))

    @staticmethod
    def _stamp(file: Path, sha256: str) -> list[Any]:
        status = file.stat()
        return [status.st_size, status.st_mtime_ns, sha256]
