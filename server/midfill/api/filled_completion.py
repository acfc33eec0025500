"""`/v1/completions` with a suffix: the text for a gap, in OpenAI's dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from midfill.api.answer import Json
from midfill.api.completion_json import completion_head, usage
from midfill.api.fields import Fields
from midfill.api.fill import Filled, Gap, GapFiller


class FilledCompletion:
    """The text for a gap: a :class:`midfill.api.answer.Answer`.

    A stream has it in one piece, because only a whole text can be checked.
    """

    last_event = "[DONE]"

    def __init__(self, fields: Fields, gap: Gap, filler: GapFiller, model: str) -> None:
        """Read how the answer is wanted.

        Raises:
            RequestError: a field is wrong.
        """
        options = fields.nested("stream_options")
        self.streamed = fields.flag("stream")
        self._with_usage = options is not None and options.flag("include_usage")
        self._gap = gap
        self._filler = filler
        self._head = completion_head(model)

    async def whole(self) -> Json:
        """See :meth:`midfill.api.answer.Answer.whole`."""
        filled = await self._filler.fill(self._gap)
        return {**self._head, "choices": [_choice(filled)], "usage": _usage(filled)}

    async def events(self) -> AsyncGenerator[Json, None]:
        """See :meth:`midfill.api.answer.Answer.events`."""
        filled = await self._filler.fill(self._gap)
        yield {**self._head, "choices": [_choice(filled)]}
        if self._with_usage:
            yield {**self._head, "choices": [], "usage": _usage(filled)}


def _choice(filled: Filled) -> Json:
    return {
        "index": 0,
        "text": filled.text,
        "logprobs": None,
        "finish_reason": "length" if filled.was_cut else "stop",
        "stop_reason": filled.stopped_by,
        "midfill_reason": filled.reason or None,
    }


def _usage(filled: Filled) -> Json:
    done = filled.completion
    return usage(done.prompt_tokens, done.tokens, done.reused_tokens)
