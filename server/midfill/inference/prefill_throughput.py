"""How fast this machine computes prompts with a bundle. It is measured during use and remembered."""

from __future__ import annotations

from midfill.common.json_store import JsonStore
from midfill.inference.bundle import GRAPH, Manifest

_FILE = "reading_speed"
_MIN_TOKENS = 200
"""Minimum number of computed tokens for a measurement. The time of a shorter prefill says little."""
_WEIGHT = 0.2
"""Weight of a new measurement in the running mean."""
_MIN_CHANGE = 0.1
"""Minimum change of the mean, relative to the saved one, for which the file is written again."""
_DEFAULT_TOKENS = 1536
"""Length of a prompt on a machine without a measurement."""
_STEP = 128
"""The length of a prompt is a multiple of this, in tokens."""
_RANGE = (512, 8192)
"""Minimum and maximum length of a prompt, in tokens."""


class PrefillThroughput:
    """The number of prompt tokens computed in a second. Tokens found in a KV cache do not count."""

    def __init__(self, manifest: Manifest) -> None:
        """Begin with the value remembered for this bundle on this machine."""
        graph = manifest.files.get(GRAPH)
        self._key = graph.sha256 if graph else manifest.name
        saved = JsonStore(_FILE).get(self._key)
        self._saved = float(saved) if isinstance(saved, (int, float)) and saved > 0 else 0.0
        self.tokens_per_second = self._saved
        """The running mean; 0 without a measurement."""

    def learn(self, tokens: int, seconds: float) -> None:
        """Learn from a prefill that computed ``tokens`` tokens in ``seconds``."""
        if tokens < _MIN_TOKENS or seconds <= 0:
            return
        now = tokens / seconds
        self.tokens_per_second += _WEIGHT * (now - self.tokens_per_second) if self.tokens_per_second else now
        if abs(self.tokens_per_second - self._saved) > _MIN_CHANGE * self._saved:
            self._saved = self.tokens_per_second
            file = JsonStore(_FILE)
            file.put(self._key, round(self._saved, 1))
            file.save()

    def tokens_within(self, milliseconds: int) -> int:
        """Return the length of a prompt, in tokens, that is computed in ``milliseconds``, within limits."""
        if not self.tokens_per_second:
            return _DEFAULT_TOKENS
        low, high = _RANGE
        return min(max(int(self.tokens_per_second * milliseconds / 1000) // _STEP * _STEP, low), high)
