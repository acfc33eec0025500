"""How many tokens of a prompt are for the document, and how many for other files."""

from __future__ import annotations

from typing import NamedTuple

from midfill.inference.bundle import Manifest
from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.settings.schema import Settings

MAX_CHARACTERS_PER_TOKEN = 4
"""An upper bound for source code. Text of this length per token of the budget is sure to fill it."""


class Budgets(NamedTuple):
    """Maximum number of tokens of each kind. Both are computed before the first suggestion in a document."""

    document: int
    snippets: int


def budgets(settings: Settings, manifest: Manifest, throughput: PrefillThroughput) -> Budgets:
    """Divide the model's context, less the longest suggestion, between the document and other files.

    The settings decide. Where ``contextTokens`` is 0, the budget is what this machine computes within ``latencyMs``,
    and other files get a third of it at most.
    """
    room = manifest.usable_context - longest_suggestion(settings, manifest)
    if settings.context_tokens:
        document = min(settings.context_tokens, room)
        return Budgets(document, min(settings.workspace_tokens, room - document))
    both = min(throughput.tokens_within(settings.latency_ms), room)
    snippets = min(settings.workspace_tokens, both // 3)
    return Budgets(both - snippets, snippets)


def longest_suggestion(settings: Settings, manifest: Manifest) -> int:
    """Return the maximum number of tokens of any suggestion."""
    return min(settings.max_tokens_of_all_languages, manifest.usable_context // 2)
