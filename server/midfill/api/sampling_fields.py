"""How a request wants its tokens drawn: the fields that both dialects share, and those that Midfill cannot follow."""

from __future__ import annotations

import secrets

from midfill.api.fields import Fields
from midfill.inference.sampling import Sampling

_NEUTRAL = {
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "length_penalty": 1.0,
}
"""Fields that change how tokens are drawn, and the value with which each changes nothing."""
_MAX_SEED = 2**63 - 1


def sampling_of(fields: Fields) -> Sampling | None:
    """Return how to draw tokens at random; None to take the most likely token each time, as without a temperature.

    Raises:
        RequestError: a field is wrong, or asks for what Midfill cannot do.
    """
    for name, neutral in _NEUTRAL.items():
        if fields.number(name, neutral, -1e6, 1e6) != neutral:
            raise fields.refuse(name, f"is not supported: leave it out, or let it be {neutral:g}.")
    if fields.get("logit_bias"):
        raise fields.refuse("logit_bias", "is not supported: leave it out.")
    temperature = fields.number("temperature", 0.0, 0.0, 100.0)
    top_k = fields.whole("top_k", 0, -1, 2**31)
    top_p = fields.number("top_p", 1.0, 0.0, 1.0)
    seed = fields.whole("seed", -1, -(2**63), _MAX_SEED)
    if temperature == 0.0 or top_k == 1:
        return None
    return Sampling(
        temperature=max(temperature, 0.01),
        top_k=max(top_k, 0),
        top_p=top_p,
        seed=seed if seed >= 0 else secrets.randbits(63),
    )
