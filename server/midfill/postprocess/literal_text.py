"""Which parts of a suggestion are within a string, where white space is a part of the value."""

from __future__ import annotations

from midfill.code.comments_and_strings import enclosures_of
from midfill.code.embedded import embedded_at
from midfill.code.enclosures import STRING, place_at_end, places
from midfill.code.languages import Language
from midfill.prompt.context import Context


class LiteralText:
    """The strings in a suggestion, also one in which it begins."""

    def __init__(self, text: str, context: Context, language: Language) -> None:
        """Find the strings by the marks of the ``language``, from the start of the context on."""
        before, _, language = embedded_at(context.prefix, "", language)
        enclosures = enclosures_of(language)
        changes = list(places(text, enclosures, place_at_end(before, enclosures)))
        ends = [*(offset for offset, _ in changes[1:]), len(text) + 1]
        self._spans = [(start, end) for (start, place), end in zip(changes, ends, strict=True) if place.kind == STRING]

    def includes(self, offset: int) -> bool:
        """Return whether the character at ``offset`` of the suggestion is within a string."""
        return any(start <= offset < end for start, end in self._spans)
