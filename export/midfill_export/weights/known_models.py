"""The models that can be pulled, by name, and the models of servers that share their tokenizers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from midfill_export.weights.catalogue import CATALOGUE
from midfill_export.weights.weights import Weights

WEIGHTS: Mapping[str, Weights] = MappingProxyType({weights.name: weights for weights in CATALOGUE})


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
