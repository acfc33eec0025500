"""Parts of an answer that all answers of `/v1/completions` have."""

from __future__ import annotations

import time
import uuid

from midfill.api.answer import Json


def completion_head(model: str) -> Json:
    """Return what each answer and each event begins with."""
    return {
        "id": f"cmpl-{uuid.uuid4().hex}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
    }


def usage(prompt: int, generated: int, cached: int) -> Json:
    """Return the numbers of tokens: of the prompt, generated, and of the prompt found in the KV cache."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": generated,
        "total_tokens": prompt + generated,
        "prompt_tokens_details": {"cached_tokens": min(cached, prompt)},
    }
