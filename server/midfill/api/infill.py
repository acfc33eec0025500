"""The text for a gap in llama-server's dialect: `/infill`, and `/completion` with a fill-in-the-middle prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from midfill.api.answer import Json
from midfill.api.fields import Fields
from midfill.api.fill import Filled, Gap, GapFiller
from midfill.api.llama_json import Figures, last_part, selected

_MAX_PATHS = 64
_NOTHING = Figures(prompt=0, cached=0, prompt_seconds=0.0, generated=0, generation_seconds=0.0)


class Infill:
    """The text for a gap: a :class:`midfill.api.answer.Answer`.

    llama.vim asks for no tokens to have the prompt computed ahead.
    """

    last_event = ""

    def __init__(self, fields: Fields, gap: Gap, filler: GapFiller, model: str) -> None:
        """Read how the answer is wanted.

        Raises:
            RequestError: a field is wrong.
        """
        self.streamed = fields.flag("stream")
        self._paths = fields.texts("response_fields", _MAX_PATHS)
        self._only_prompt = fields.get("n_predict") == 0
        self._gap = gap
        self._filler = filler
        self._model = model

    async def whole(self) -> Json:
        """See :meth:`midfill.api.answer.Answer.whole`."""
        if self._only_prompt:
            await self._filler.warm_up(self._gap)
            return selected(last_part(self._model, "", _NOTHING, stopped_by=None, was_cut=True), self._paths)
        return selected(self._part(filled := await self._filler.fill(self._gap), filled.text), self._paths)

    async def events(self) -> AsyncGenerator[Json, None]:
        """Yield the text in one event, because only a whole one can be checked, and then the figures."""
        filled = await self._filler.fill(self._gap)
        yield {"index": 0, "content": filled.text, "tokens": [], "stop": False}
        yield selected(self._part(filled, ""), self._paths)

    def _part(self, filled: Filled, text: str) -> Json:
        part = last_part(self._model, text, _figures(filled), stopped_by=filled.stopped_by, was_cut=filled.was_cut)
        return {**part, "midfill_reason": filled.reason or None}


def _figures(filled: Filled) -> Figures:
    done = filled.completion
    return Figures(
        prompt=done.prompt_tokens,
        cached=done.reused_tokens,
        prompt_seconds=done.milliseconds.get("prefill", 0.0) / 1000,
        generated=done.tokens,
        generation_seconds=done.milliseconds.get("decode", 0.0) / 1000,
    )
