"""The context length a model is exported for, and RoPE scaling, which makes it longer than in training.

RoPE rotates each pair of a head's numbers by an angle that grows with the position. Three methods make the angles of
longer contexts resemble those seen in training:

* "linear" divides all positions by one factor (Chen et al., arXiv:2306.15595),
* "ntk" and "base" enlarge RoPE's base, which slows the slow pairs most ("NTK-aware"; Code Llama and Stable Code were
  trained with a base of 1,000,000),
* "yarn" slows each pair by how often it turns within the trained length (YaRN, Peng et al., arXiv:2309.00071).

`midfill eval needle` measures what this costs in quality.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel

from midfill.common.errors import UsageError
from midfill_export.loaders.families import decoder_of

METHODS = ("linear", "ntk", "yarn", "base")
_MAX_BASE = 1e12


@dataclass(frozen=True)
class RopeScaling:
    """The context length to export for, and how it is reached; by default both are those of the training."""

    context: int = 0
    """Tokens; 0 for the trained length."""
    method: str = ""
    """One of ``METHODS``, or "" for none."""
    base: float = 0.0
    """The new base, for the method "base" only."""

    def apply(self, model: PreTrainedModel) -> dict[str, Any]:
        """Change the rotary embedding of ``model`` and its configuration.

        Returns:
            What was changed, for the manifest; empty if nothing was.

        Raises:
            UsageError: the context is longer than the trained length, and no method is named.
        """
        config = model.config
        trained = config.max_position_embeddings
        context = self.context or trained
        if context > trained and not self.method:
            raise UsageError(
                f"The model was trained for {trained} tokens: for {context}, name a method (for example --rope yarn)."
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


def parse_rope_scaling(context: int | None, rope: str | None) -> RopeScaling:
    """Parse the command line's ``--context`` and ``--rope``.

    Raises:
        UsageError: ``rope`` is not a method.
    """
    scaling = RopeScaling(context or 0)
    if rope is None:
        return scaling
    method, _, number = rope.partition("=")
    try:
        base = float(number) if number else 0.0
    except ValueError:
        base = -1.0
    if method not in METHODS or (method == "base") != (1 < base <= _MAX_BASE) or (number and method != "base"):
        raise UsageError(f"--rope must be linear, ntk, yarn or base=NUMBER (for example base=1000000), not '{rope}'.")
    return dataclasses.replace(scaling, method=method, base=base)
