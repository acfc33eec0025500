"""What of a document stands in our prompt, as text: for a peer that makes prompts of its own from two texts."""

from __future__ import annotations

from tokenizers import Tokenizer

from midfill.inference.bundle import FimFormat
from midfill.prompt.context import Context
from midfill.prompt.fim import build_prompt

_MARKED = FimFormat(order="prefix-first")


class Sides:
    """Cuts the two sides of a cursor as our prompts do."""

    def __init__(self, tokenizer: Tokenizer, budget: int) -> None:
        """Cut to ``budget`` tokens in all."""
        self._tokenizer = tokenizer
        self._budget = budget

    def of(self, context: Context) -> tuple[str, str]:
        """Return the texts left and right of the cursor that our prompt would hold."""
        prompt = build_prompt(context, _MARKED, self._encode, self._budget, lambda _token: False)
        left, right = (part.ids for part in prompt.parts if part.kind != "control")
        return self._decode(left), self._decode(right)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False)
        return text
