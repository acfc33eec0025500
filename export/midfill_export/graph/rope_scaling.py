"""How many tokens a model is exported for, and what lets it look farther back than it was trained to.

RoPE turns each pair of a head's numbers by an angle for each position. Positions beyond those seen in training can be
squeezed into them (linear, Chen et al., arXiv:2306.15595), the slow pairs alone can be slowed down, by a larger base
("NTK-aware", and as Code Llama and Stable Code were trained with a base of 1,000,000), or each pair by how often it
turns within the trained length (YaRN, Peng et al., arXiv:2309.00071). What it costs in quality, `midfill eval needle`
shows.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel

from midfill.common.errors import UsageError
from midfill_export.loaders.families import decoder_of

METHODS = ("linear", "ntk", "yarn", "base")
_LARGEST_BASE = 1e12


@dataclass(frozen=True)
class Stretch:
    """What somebody wants of an export; nothing by default."""

    context: int = 0
    """Tokens; 0 for those of the training."""
    method: str = ""
    """One of ``METHODS``, or "" for none."""
    base: float = 0.0
    """The new base, of the method of that name."""

    def apply(self, model: PreTrainedModel) -> dict[str, Any]:
        """Change the rotary embedding of ``model`` and its configuration.

        Returns:
            What was done, for the manifest; empty if nothing was.

        Raises:
            UsageError: the context is longer than what the model was trained for, and no method is named.
        """
        config = model.config
        trained = config.max_position_embeddings
        context = self.context or trained
        if context > trained and not self.method:
            raise UsageError(
                f"{trained} tokens are what the model was trained for: for {context}, say how (--rope yarn, for one)."
            )
        factor = max(context / trained, 1.0)
        if self.method == "base":
            config.rope_theta = self.base
        elif self.method == "ntk":
            turned = 2 * len(decoder_of(model).rotary_emb.inv_freq)
            config.rope_theta *= factor ** (turned / (turned - 2))
        elif self.method:
            config.rope_scaling = {
                "rope_type": self.method,
                "factor": factor,
                "original_max_position_embeddings": trained,
            }
        config.max_position_embeddings = context
        if not self.method:
            return {"context": context, "trained": trained} if context != trained else {}
        decoder = decoder_of(model)
        decoder.rotary_emb = type(decoder.rotary_emb)(config=config)
        base = getattr(config, "rope_theta", None)
        return {"context": context, "trained": trained, "method": self.method, "factor": factor, "base": base}


def read_stretch(context: int | None, rope: str | None) -> Stretch:
    """Read what the command line says.

    Raises:
        UsageError: the method is none.
    """
    stretch = Stretch(context or 0)
    if rope is None:
        return stretch
    method, _, number = rope.partition("=")
    try:
        base = float(number) if number else 0.0
    except ValueError:
        base = -1.0
    if method not in METHODS or (method == "base") != (1 < base <= _LARGEST_BASE) or (number and method != "base"):
        raise UsageError(f"--rope is linear, ntk, yarn or base=NUMBER (such as base=1000000), not '{rope}'.")
    return dataclasses.replace(stretch, method=method, base=base)
