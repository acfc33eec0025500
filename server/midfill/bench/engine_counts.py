"""What an engine says about its own work: the counters at `/metrics` of vLLM, llama-server and `midfill api`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from midfill.remote.failure import Failed

_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{[^}]*\})?[ \t]+(?P<value>[0-9.eE+]+)(?:[ \t]|$)")
"""A line of Prometheus' text format. Negative numbers and those that are none are no counters."""
_GENERATED = ("vllm:generation_tokens_total", "llamacpp:tokens_predicted_total", "midfill_generation_tokens_total")
_PROMPTS = ("vllm:prompt_tokens_total", "llamacpp:prompt_tokens_total", "midfill_prompt_tokens_total")
_REUSED = ("vllm:prefix_cache_hits_total", "midfill_prompt_tokens_reused_total")
_SECONDS = 10.0


@dataclass(frozen=True)
class EngineCounts:
    """Tokens since the engine started, or between two moments."""

    generated: int
    """Tokens generated, for whomever."""
    prompts: int
    """Tokens of prompts."""
    reused: int | None
    """Those of the prompts that were in the engine's cache; None if it does not say."""

    def since(self, before: EngineCounts) -> EngineCounts:
        """Return what was counted after ``before``."""
        reused = None if self.reused is None or before.reused is None else self.reused - before.reused
        return EngineCounts(self.generated - before.generated, self.prompts - before.prompts, reused)


def read_counts(read: Callable[[str, float], bytes]) -> EngineCounts | None:
    """Return the counters of an engine; None if it publishes none, as llama-server without ``--metrics``.

    Args:
        read: returns what the engine answers to a path, within some seconds; raises :class:`Failed` if nothing.
    """
    try:
        text = read("/metrics", _SECONDS).decode("utf-8", "replace")
    except Failed:
        return None
    return parse_counts(text)


def parse_counts(text: str) -> EngineCounts | None:
    """Read counters out of Prometheus' text format; None if there are none of a known engine."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        if found := _SAMPLE.match(line):
            try:
                values[found["name"]] = values.get(found["name"], 0.0) + float(found["value"])
            except ValueError:
                continue  # digits and dots that are no number
    generated, prompts, reused = (_first(values, names) for names in (_GENERATED, _PROMPTS, _REUSED))
    return None if generated is None or prompts is None else EngineCounts(generated, prompts, reused)


def _first(values: dict[str, float], names: tuple[str, ...]) -> int | None:
    return next((round(values[name]) for name in names if math.isfinite(values.get(name, math.inf))), None)
