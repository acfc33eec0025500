"""A model that answers as a test tells it, and the conversations and engines that use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midfill.chat.conversation import MAX_CONTEXT, Conversation
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import CompletionEngine
from midfill.inference.kv_cache import KvCache
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.onnx_model import Model, ScriptedModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import encode, loaded_model, manifest, tiny_tokenizer

TEMPLATE = "{% for m in messages %}{{ m.role + ': ' + m.content + eos_token }}{% endfor %}"
END = manifest().stop_tokens[0]


class Replies(ScriptedModel):
    """A model that has an answer for each prompt, the last one for all others; it goes on from what was begun of it."""

    def __init__(self, *replies: str) -> None:
        super().__init__([], END, manifest().vocabulary)
        self.replies = list(replies)
        self._answering = True
        self.asked: list[str] = []
        """The prompts, with what the answer is to begin with."""
        self.runner_up_beginnings: dict[int, int] = {}
        """Tokens that are nearly chosen instead of others."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Take the next answer when a prompt has been read; be sure of its tokens."""
        if rows == 0 or len(ids) > 1:
            if self._answering:
                self.asked.append("")
            self._answering = False
            self.asked[-1] = prompt = tiny_tokenizer().decode([*cache.tokens, *ids], skip_special_tokens=False)
            reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
            begun = next(n for n in range(len(reply), -1, -1) if prompt.endswith(reply[:n]))
            self._script = [*encode(reply[begun:]), END]
        else:
            self._answering = True
        logits = 1000 * super().step(ids, cache, rows, cancel)
        for row in logits:
            if (runner_up := self.runner_up_beginnings.get(int(row.argmax()))) is not None:
                row[runner_up] = row.max() - 1
        return logits


def model_of(model: Model) -> LoadedModel:
    """Return a loaded model with the tests' chat template."""
    return loaded_model(model, chat_template=TEMPLATE, context_length=16_384)


def conversation_with(model: Model, room: int = MAX_CONTEXT) -> Conversation:
    """Begin a conversation with a model, without drafts: each step is one token."""
    return Conversation(model_of(model), room, max_draft_tokens=0)


def engine_of(model: Model) -> CompletionEngine:
    """Return an engine that completes with a model."""
    return CompletionEngine(model_of(model), LiveSettings(Settings(bundle=Path("unused"), draft_tokens=0)))
