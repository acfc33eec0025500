"""Token healing: let the model choose again the token that the cursor cut short.

A prefix that ends in ``    `` or ``retur`` was tokenised as if the text ended there, which is not how the model has
seen code; it then answers `` return`` with one space too many. So the prompt's last token is taken back, and the first
tokens decoded may only be such that spell its text again (the method of the Guidance project's token healing).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

_INCOMPLETE = "\ufffd"
"""What part of a character decodes to."""


class Vocabulary:
    """Every token's text, sorted for search by what it starts with."""

    def __init__(self, texts: Sequence[str], excluded: Container[int] = ()) -> None:
        """Index ``texts``, one a token id; ``excluded`` ids (control tokens) never match."""
        self._texts = texts
        self._excluded = excluded
        ids = [i for i, text in enumerate(texts) if text and _INCOMPLETE not in text and i not in excluded]
        ids.sort(key=texts.__getitem__)
        self._ids = np.array(ids, np.int64)
        self._sorted = [texts[i] for i in ids]

    def text(self, token: int) -> str:
        """Return a token's text."""
        return self._texts[token]

    def can_be_cut_short(self, token: int) -> bool:
        """Whether text that ends in this token may have been going on within it.

        Not after a newline: code models keep runs of newlines in one token, so taking one back would invite an empty
        line where the cursor stands; and not within a character or a control token, which have no text to spell.
        """
        text = self._texts[token]
        return text != "" and _INCOMPLETE not in text and not text.endswith("\n") and token not in self._excluded

    def spelling(self, text: str) -> NDArray[np.int64]:
        """Return the tokens that start with ``text``, and those that ``text`` starts with and that leave no dead end.

        There is at least one for the text of a token that can be cut short, and for what any of those leaves of it.
        """
        spelt = [self._ids[self._starting_with(text)]]
        for length in range(1, len(text)):
            same = slice(bisect_left(self._sorted, text[:length]), bisect_left(self._sorted, text[:length] + "\0"))
            if same.start < same.stop and len(self._ids[self._starting_with(text[length:])]):
                spelt.append(self._ids[same])
        return np.concatenate(spelt)

    def _starting_with(self, text: str) -> slice:
        return slice(bisect_left(self._sorted, text), bisect_left(self._sorted, text + chr(0x10FFFF)))


class TokenHealing:
    """Text still to be spelt again before the model may go on freely."""

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        self._vocabulary = vocabulary
        self._text = text
        self._missing = text

    def allowed(self) -> NDArray[np.int64] | None:
        """Return the tokens that spell what is missing; None for any, once nothing is."""
        return self._vocabulary.spelling(self._missing) if self._missing else None

    def take(self, token: int) -> None:
        """Go on from ``token``, one of those allowed."""
        if self._missing:
            self._missing = self._missing[len(self._vocabulary.text(token)) :]

    @property
    def missing(self) -> str:
        """The text that the next tokens must spell."""
        return self._missing

    def strip(self, text: str) -> str:
        """Return what ``text`` adds to the text that was spelt again."""
        return text[len(self._text) :] if text.startswith(self._text) else ""
