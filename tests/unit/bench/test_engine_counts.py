"""Counters of an engine: vLLM's and llama-server's form of Prometheus' text."""

from __future__ import annotations

import pytest

from midfill.bench.engine_counts import EngineCounts, parse_counts, read_counts
from midfill.remote.failure import Failed

VLLM = """# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="coder"} 1200.0
vllm:prompt_tokens_total{engine="1",model_name="coder"} 34.0
vllm:generation_tokens_total{engine="0",model_name="coder"} 5.6e+01
vllm:generation_tokens_total{engine="1",model_name="coder"} 4.0
vllm:prefix_cache_hits_total{engine="0",model_name="coder"} 800.0
vllm:generation_tokens_created{engine="0",model_name="coder"} 1.7e+09
"""
LLAMA = "llamacpp:prompt_tokens_total 70\nllamacpp:tokens_predicted_total 8\nllamacpp:kv_cache_usage_ratio nan\n"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (VLLM, EngineCounts(generated=60, prompts=1234, reused=800)),
        (LLAMA, EngineCounts(generated=8, prompts=70, reused=None)),
        ("", None),
        ("<html>Not found</html>", None),
        ("vllm:prompt_tokens_total 1.2.3\nvllm:generation_tokens_total e+\n", None),
        ("vllm:prompt_tokens_total NaN\nvllm:generation_tokens_total -1\n", None),
        ("vllm:prompt_tokens_total 1e999\nvllm:generation_tokens_total 1e999\n", None),
        ("vllm:prompt_tokens_total 5\n", None),
    ],
)
def test_counters_are_added_over_all_labels(text: str, counts: EngineCounts | None) -> None:
    """An engine with replicas has a line for each. What is no counter of a known engine counts for nothing."""
    assert parse_counts(text) == counts


def test_engine_without_counters() -> None:
    """It is measured without them."""

    def refuses(_path: str, _seconds: float) -> bytes:
        raise Failed("no such page", status=404)

    assert read_counts(refuses) is None


def test_between_two_moments() -> None:
    """The counters of an engine never go back; its cache's may be unknown."""
    first, second = EngineCounts(1, 10, None), EngineCounts(4, 30, 5)
    assert second.since(first) == EngineCounts(3, 20, None)
    assert second.since(second) == EngineCounts(0, 0, 0)
