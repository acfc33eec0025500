"""How many tokens of a prompt are the document's, and how many other files'."""

from __future__ import annotations

from typing import NamedTuple

from midfill.inference.bundle import Bundle
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.settings.schema import Settings


class Budgets(NamedTuple):
    """The most tokens of each; both are read together, before the first suggestion in a document."""

    document: int
    others: int


def budgets(settings: Settings, bundle: Bundle, speed: PrefillThroughput) -> Budgets:
    """Divide what a bundle's context has room for beside the longest suggestion.

    As the settings say; where they leave it open, what this machine reads within ``latencyMs``, of which other files
    get their share, a third at most.
    """
    room = bundle.manifest.context_length - longest_suggestion(settings, bundle)
    if settings.context_tokens:
        document = min(settings.context_tokens, room)
        return Budgets(document, min(settings.workspace_tokens, room - document))
    both = min(speed.tokens_within(settings.latency_ms), room)
    others = min(settings.workspace_tokens, both // 3)
    return Budgets(both - others, others)


def longest_suggestion(settings: Settings, bundle: Bundle) -> int:
    """Return the most tokens that any suggestion may have."""
    return min(settings.most_tokens, bundle.manifest.context_length // 2)
