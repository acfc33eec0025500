"""A model that rewrites windows as a test tells it, and what its tests need besides."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import EditFormatName
from midfill.inference.kv_cache import KvCache
from midfill.inference.loaded_model import LoadedModel
from midfill.next_edit.history import EditHistory
from midfill.next_edit.types import Hunk
from unit.helpers import encode, loaded_model, manifest, tiny_tokenizer

PATH = "/work/a.py"
_ANSWER = re.compile(r"<updated>\n|<\|file_sep\|>updated/[^\n]*\n")
_WINDOW = re.compile(r"<original>\n|<\|file_sep\|>current/[^\n]*\n")
_WINDOW_END = re.compile(r"\n</original>|\n$")
"""What stands before an answer, before a window and after it, in the plain format and in Sweep's."""
_LIKED, _SECOND = 20.0, 18.0
"""Logits of the token that the model would write, and of the one that it likes nearly as much: odds of 0.14."""


class Rewriter:
    """Writes ``text`` as the answer to the window that begins alike, and nearly as gladly ``second``.

    Other windows it leaves as they are.
    """

    def __init__(self, text: str, second: str = "") -> None:
        self.text, self.second = text, second
        self.prompts: list[str] = []
        """Each prompt that was asked, without the answer."""
        self.steps = 0

    def new_cache(self, capacity: int) -> KvCache:
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Return the logits after each of the last ``rows`` tokens."""
        cancel.check()
        self.steps += 1
        cache.append(ids)
        logits = np.zeros((rows, manifest().vocabulary), np.float32)
        for row, end in enumerate(range(len(cache) - rows + 1, len(cache) + 1)):
            spelt = self._spelt(cache.tokens[:end])
            *_, begin = _ANSWER.finditer(spelt)
            prompt, answer = spelt[: begin.start()], spelt[begin.end() :]
            self.prompts.append(prompt)
            window = _WINDOW_END.split(_WINDOW.split(prompt)[-1])[0].replace("<|cursor|>", "")
            is_other = window.split("\n")[0] != self.text.split("\n")[0]
            for liking, text in ((_SECOND, self.second or self.text), (_LIKED, self.text)):
                token = _next(window if is_other else text, answer)
                logits[row, token] = max(liking, logits[row, token])
        return logits

    @staticmethod
    def _spelt(ids: Sequence[int]) -> str:
        text: str = tiny_tokenizer().decode(list(ids), skip_special_tokens=False)
        return text


def _next(text: str, answer: str) -> int:
    """Return the first token of what is left of a text; the end if the answer is another one, or all of it."""
    rest = text[len(answer) :] if text.startswith(answer) else ""
    return encode(rest)[0] if rest else manifest().stop_tokens[0]


def model_of(rewriter: Rewriter, context_length: int = 16_384, edit_format: EditFormatName = "plain") -> LoadedModel:
    """Return a loaded model with room for a prompt."""
    return loaded_model(rewriter, context_length=context_length, edit_format=edit_format)


def edited(*texts: str, path: str = PATH) -> Sequence[Hunk]:
    """Return the hunks of a document that had these texts, one after the other."""
    history = EditHistory(lambda: 0.0)
    for before, after in itertools.pairwise(texts):
        history.changed(path, before, after)
    return history.hunks()
