"""The text of generated tokens while they come: ended by stop texts, and never with a part of a character."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Spell = Callable[[Sequence[int]], str]
"""Returns the text of token ids."""
_INCOMPLETE = "\ufffd"
"""Stands for a part of a character at the end of a text."""


class GeneratedText:
    """Grows token by token. What may still become a stop text is held back."""

    def __init__(self, spell: Spell, stops: Sequence[str] = ()) -> None:
        """End the text before the first of the texts ``stops``."""
        self._spell = spell
        self._stops = [stop for stop in stops if stop]
        self._longest = max(map(len, self._stops), default=1)
        self._ids: list[int] = []
        self._text = ""
        self._given = 0
        self.stopped_by: str | None = None
        """The stop text that has ended the text; None if none has."""

    def take(self, token: int) -> str:
        """Add a token, and return the text that is certain since the last call."""
        self._ids.append(token)
        searched = max(len(self._text) - self._longest, 0)
        self._text = self._spell(self._ids)
        found = [(place, stop) for stop in self._stops if (place := self._text.find(stop, searched)) >= 0]
        if found:
            end, self.stopped_by = min(found)
            return self._give(end)
        certain = self._text.rstrip(_INCOMPLETE)
        return self._give(len(certain) - self._possible_stop(certain))

    def rest(self) -> str:
        """Return the text that was held back, because no token follows."""
        return "" if self.stopped_by is not None else self._give(len(self._text))

    def _possible_stop(self, text: str) -> int:
        """Return the number of characters at the end of ``text`` with which a stop text may begin."""
        tail = text[-self._longest :]
        starts = (size for size in range(len(tail), 0, -1) for stop in self._stops if stop.startswith(tail[-size:]))
        return next(starts, 0)

    def _give(self, end: int) -> str:
        given = self._text[self._given : end]
        self._given = max(self._given, end)
        return given
