"""Answers as llama-server writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from midfill.api.answer import Json


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What an answer took."""

    prompt: int
    """Tokens of the prompt."""
    cached: int
    """Tokens of it that were found in the KV cache."""
    prompt_seconds: float
    generated: int
    """Tokens generated."""
    generation_seconds: float


def last_part(model: str, text: str, figures: Figures, *, stopped_by: str | None, was_cut: bool) -> Json:
    """Return an answer, or the last event of a stream.

    Args:
        model: the model's name.
        text: the whole text; "" if it was streamed.
        figures: what it took.
        stopped_by: the stop text that has ended it, if one has.
        was_cut: whether it ended at a limit.
    """
    kind = "word" if stopped_by is not None else "limit" if was_cut else "eos"
    return {
        "index": 0,
        "content": text,
        "tokens": [],
        "id_slot": 0,
        "stop": True,
        "model": model,
        "tokens_predicted": figures.generated,
        "tokens_evaluated": figures.prompt,
        "truncated": False,
        "stop_type": kind,
        "stopping_word": stopped_by or "",
        "tokens_cached": min(figures.cached, figures.prompt),
        "timings": _timings(figures),
    }


def selected(answer: Json, paths: Sequence[str]) -> Json:
    """Return only the values at ``paths``, such as "timings/prompt_n", by their paths; all if there are no paths."""
    if not paths:
        return answer
    found: Json = {}
    for path in paths:
        value: object = answer
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found[path] = value
    return found


def _timings(figures: Figures) -> Json:
    cached = min(figures.cached, figures.prompt)
    return {
        "cache_n": cached,
        **_speed("prompt", figures.prompt - cached, figures.prompt_seconds),
        **_speed("predicted", figures.generated, figures.generation_seconds),
    }


def _speed(what: str, tokens: int, seconds: float) -> Json:
    return {
        f"{what}_n": tokens,
        f"{what}_ms": round(seconds * 1000, 3),
        f"{what}_per_token_ms": round(seconds * 1000 / tokens, 3) if tokens else 0.0,
        f"{what}_per_second": round(tokens / seconds, 3) if seconds else 0.0,
    }
