"""How much is read: what decides it, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.inference.prefill_throughput import PrefillThroughput
from midfill.prompt.token_budget import PromptLength, TokenBudget
from midfill.settings.schema import Settings
from unit.helpers import manifest

SETTINGS = Settings(bundle=Path("unused"))
LARGE = manifest(context_length=32_768)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use a cache folder without a reading."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))


def machine(tokens_per_second: float) -> PrefillThroughput:
    """Return a machine of some speed, in tokens per second."""
    throughput = PrefillThroughput("machine")
    throughput.learn(1000, 1000 / tokens_per_second, 1000 / tokens_per_second)
    return throughput


def length(throughput: PrefillThroughput, settings: Settings = SETTINGS) -> PromptLength:
    """Return what decides for a model with a long context."""
    return PromptLength(settings, LARGE, throughput)


@pytest.mark.parametrize(
    ("speed", "document", "snippets"),
    [(1, 512, 256), (100, 512, 256), (350, 683, 341), (550, 1024, 512), (1400, 3584, 512), (100_000, 7680, 512)],
)
def test_speed_decides(speed: float, document: int, snippets: int) -> None:
    """A prompt is as long as it can be in time, from what a suggestion needs up to a limit."""
    budget = length(machine(speed)).budget()
    assert (budget.document, budget.snippets, budget.total) == (document, snippets, document + snippets)


@pytest.mark.parametrize(
    ("changes", "document", "snippets", "why"),
    [
        ({"context_tokens": 64}, 64, 512, "`contextTokens` is 64"),
        ({"context_tokens": 2000, "workspace_tokens": 0}, 2000, 0, "`contextTokens` is 2,000"),
        ({"context_tokens": 131_072}, 32_697, 0, "the model has no room for more"),
        ({"latency_ms": 60_000}, 7680, 512, "this machine computes 550 tokens a second, so they take 14.9 s"
         " and `latencyMs` allows 60.0 s"),
        ({"latency_ms": 100}, 512, 256, "a suggestion needs as many; this machine computes 550 tokens a second,"
         " so they take 1.4 s"),
        ({"workspace_tokens": 0}, 1536, 0, "this machine computes 550 tokens a second, so they take 2.8 s"
         " and `latencyMs` allows 3.0 s"),
    ],
)  # fmt: skip
def test_settings_decide(changes: dict[str, int], document: int, snippets: int, why: str) -> None:
    """``contextTokens`` decides alone; without it, ``latencyMs`` and the speed do."""
    assert length(machine(550), replace(SETTINGS, **changes)).budget() == TokenBudget(document, snippets, why)  # type: ignore[arg-type]


def test_speed_that_is_not_known() -> None:
    """The first session has a default length."""
    budget = length(PrefillThroughput("machine")).budget()
    assert str(budget).startswith("at most 1,024 tokens of the document and 512 of other files: it is not known yet")


@pytest.mark.parametrize(
    ("tokens_per_second", "document"), [(100, 1024), (550, 1024), (1400, 3584)], ids=["slow", "as fast", "fast"]
)
def test_busy_at_first(tokens_per_second: float, document: int) -> None:
    """While the machine was never free, it can be faster than it seems, so no less is read."""
    throughput = PrefillThroughput("machine")
    throughput.learn(1000, 1000 / tokens_per_second, 500 / tokens_per_second)
    assert length(throughput).budget().document == document


def test_model_of_a_short_context() -> None:
    """The model's context is the limit in any case."""
    budget = PromptLength(SETTINGS, manifest(context_length=1024), machine(5000)).budget()
    assert (budget.total, budget.why) == (953, "the model has no room for more")


def test_prompts_of_a_document_never_get_shorter() -> None:
    """A machine that turns out to be slow reads less of the next document; what is computed of this one is kept."""
    throughput = machine(550)
    lengths = length(throughput)
    before = lengths.budget("a.py")
    for _ in range(16):
        throughput.learn(1000, 10.0, 10.0)
    assert lengths.budget("b.py").document == 512
    kept = lengths.budget("a.py")
    assert kept.document == before.document == 1024
    assert (
        kept.why == "a part of them is computed already; this machine computes 100 tokens a second, so they take 15.4 s"
    )
    lengths.forget("a.py")
    assert lengths.budget("a.py").document == 512


def test_longer_prompts_are_for_all_documents() -> None:
    """A machine that turns out to be fast reads more of each document from the next request on."""
    throughput = machine(100)
    lengths = length(throughput)
    assert lengths.budget("a.py").document == 512
    throughput.learn(700, 1.0, 1.0)
    assert lengths.budget("a.py").document == 1536


def test_small_changes_of_speed_change_nothing() -> None:
    """The lengths are far apart, so the start of a prompt stays where it is."""
    throughput = machine(520)
    lengths = length(throughput)
    before = lengths.budget("a.py").total
    throughput.learn(1000, 1000 / 640, 1000 / 640)
    assert lengths.budget("a.py").total == lengths.budget("b.py").total == before
