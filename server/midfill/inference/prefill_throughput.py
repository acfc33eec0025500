"""How fast this machine reads prompts with a bundle: measured while it is used, remembered, and what to make of it."""

from __future__ import annotations

from midfill.common.json_store import JsonStore
from midfill.inference.bundle import GRAPH, Manifest

_FILE = "reading_speed"
_LEAST_TOKENS = 200
"""A shorter reading says little."""
_WEIGHT = 0.2
"""Of a new reading in the running mean."""
_WORTH_SAVING = 0.1
_UNKNOWN = 1536
"""Tokens to read on a machine that was not measured yet."""
_STEP = 128
_RANGE = (512, 8192)


class PrefillThroughput:
    """Tokens a second of prompts that were not known."""

    def __init__(self, manifest: Manifest) -> None:
        """Begin with what is remembered of this bundle on this machine."""
        graph = manifest.files.get(GRAPH)
        self._key = graph.sha256 if graph else manifest.name
        saved = JsonStore(_FILE).get(self._key)
        self._saved = float(saved) if isinstance(saved, (int, float)) and saved > 0 else 0.0
        self.tokens_per_second = self._saved
        """0 before anything was measured."""

    def learn(self, tokens: int, seconds: float) -> None:
        """Take in that so many tokens were read in ``seconds``."""
        if tokens < _LEAST_TOKENS or seconds <= 0:
            return
        now = tokens / seconds
        self.tokens_per_second += _WEIGHT * (now - self.tokens_per_second) if self.tokens_per_second else now
        if abs(self.tokens_per_second - self._saved) > _WORTH_SAVING * self._saved:
            self._saved = self.tokens_per_second
            file = JsonStore(_FILE)
            file.put(self._key, round(self._saved, 1))
            file.save()

    def tokens_within(self, milliseconds: int) -> int:
        """Return how long a prompt may be to be read in that time, in steps, within sensible limits."""
        if not self.tokens_per_second:
            return _UNKNOWN
        low, high = _RANGE
        return min(max(int(self.tokens_per_second * milliseconds / 1000) // _STEP * _STEP, low), high)
