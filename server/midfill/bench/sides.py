"""The text before and after the cursor that Midfill's prompt contains, for a peer that builds its own prompts."""

from __future__ import annotations

from midfill.inference.bundle import FimFormat
from midfill.inference.tokenizer import ModelTokenizer
from midfill.prompt.context import Context
from midfill.prompt.fim import build_prompt

_MARKED = FimFormat(order="prefix-first")


class Sides:
    """Cuts the text on both sides of a cursor to the token budget of a prompt."""

    def __init__(self, tokenizer: ModelTokenizer, budget: int) -> None:
        """Cut both sides together to ``budget`` tokens."""
        self._tokenizer = tokenizer
        self._budget = budget

    def of(self, context: Context) -> tuple[str, str]:
        """Return the texts before and after the cursor that Midfill's prompt would contain."""
        prompt = build_prompt(context, _MARKED, self._tokenizer.encode, self._budget, lambda _token: False)
        left, right = (part.ids for part in prompt.parts if part.kind != "control")
        return self._tokenizer.spell(left), self._tokenizer.spell(right)
