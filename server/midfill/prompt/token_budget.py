"""How many tokens of a prompt are for the document, and how many for other files."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.inference.bundle import Manifest
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.settings.schema import Settings

MAX_CHARACTERS_PER_TOKEN = 4
"""An upper bound for source code. Text of this length per token of the budget is sure to fill it."""
_LENGTHS = (768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
"""The lengths of a prompt to choose from, in tokens. They are far apart, because a new length is another prompt: of a
long document nothing that was computed can be used again.

The shortest one is what a suggestion needs, however slow the machine is: 29, 32 and 36 of 100 suggestions were exact
with 342, 512 and 1,024 tokens of the document."""
_DEFAULT_LENGTH = 1536
"""The length while this machine's speed is not known."""

_NO_ROOM = "the model has no room for more"


@dataclass(frozen=True)
class TokenBudget:
    """Maximum number of tokens of each kind in a prompt."""

    document: int
    snippets: int
    why: str = ""
    """The reason, as the end of a sentence."""

    @property
    def total(self) -> int:
        """Maximum number of tokens of a prompt."""
        return self.document + self.snippets

    def __str__(self) -> str:
        others = f" and {self.snippets:,} of other files" if self.snippets else ""
        return f"at most {self.document:,} tokens of the document{others}: {self.why}"


class PromptLength:
    """Decides before each request how much is read.

    The prompts of a document never get shorter. That would be another prompt, which would have to be computed again.
    """

    def __init__(self, settings: Settings, manifest: Manifest, throughput: PrefillThroughput) -> None:
        self._settings = settings
        self._room = manifest.usable_context - longest_suggestion(settings, manifest)
        self._throughput = throughput
        self._lengths: dict[str, int] = {}  # of the latest prompt of each document

    def budget(self, document: str | None = None) -> TokenBudget:
        """Divide the model's context, less the longest suggestion, between a document and other files.

        The settings decide. Where ``contextTokens`` is 0, it is what this machine computes within ``latencyMs``, and
        other files get a third of it at most. Without a ``document``, this is the budget of a new one.
        """
        settings = self._settings
        if settings.context_tokens:
            part = min(settings.context_tokens, self._room)
            why = f"`contextTokens` is {settings.context_tokens:,}" if part < self._room else _NO_ROOM
            return TokenBudget(part, min(settings.workspace_tokens, self._room - part), why)
        both, why = self._within_latency(self._lengths.get(document or "", 0))
        if document is not None:
            self._lengths[document] = both
        if both >= self._room:
            both, why = self._room, _NO_ROOM
        snippets = min(settings.workspace_tokens, both // 3)
        return TokenBudget(both - snippets, snippets, why)

    def forget(self, document: str) -> None:
        """Let the prompts of a document get shorter, because it was closed."""
        self._lengths.pop(document, None)

    def _within_latency(self, before: int) -> tuple[int, str]:
        """Return the length of a prompt that is computed within ``latencyMs``, and the reason for it.

        Args:
            before: length of the document's latest prompt; 0 if it has none.
        """
        allowed = self._settings.latency_ms / 1000
        seconds_for = self._throughput.seconds_for
        longest = max((length for length in _LENGTHS if seconds_for(length) <= allowed), default=_LENGTHS[0])
        if not self._throughput.is_known and longest <= _DEFAULT_LENGTH:
            return max(_DEFAULT_LENGTH, before), "it is not known yet how fast this machine is when it is free"
        length = max(longest, before)
        seconds = seconds_for(length)
        takes = f"this machine computes {length / seconds:,.0f} tokens a second, so they take {seconds:.1f} s"
        if length > longest:
            return length, f"a part of them is computed already; {takes}"
        if seconds > allowed:
            return length, f"a suggestion needs as many; {takes}"
        return length, f"{takes} and `latencyMs` allows {allowed:.1f} s"


def longest_suggestion(settings: Settings, manifest: Manifest) -> int:
    """Return the maximum number of tokens of any suggestion."""
    return min(settings.max_tokens_of_all_languages, manifest.usable_context // 2)
