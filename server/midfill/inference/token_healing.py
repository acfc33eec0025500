"""Token healing: the model chooses again the token that the cursor cut short.

A prefix that ends in ``    `` or ``retur`` is tokenised as if the text ended there. The model has never seen code cut
like that, and would answer `` return`` with one space too many. So the last token of the prompt is taken back, and the
first decoded tokens must spell its text again. The method is the token healing of the Guidance project.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable

import numpy as np
from numpy.typing import NDArray

from midfill.inference.token_texts import TokenTexts

_INCOMPLETE = "\ufffd"
"""The text of a token that holds only a part of a character."""


class Vocabulary:
    """The texts of all tokens, sorted so that they can be searched by their beginnings."""

    def __init__(self, texts: Iterable[str], excluded: Container[int] = ()) -> None:
        """Index ``texts``, which has one text for each token id. ``excluded`` ids (control tokens) never match."""
        self._texts = TokenTexts(texts)
        self._excluded = excluded
        keys = {
            token: text
            for token in range(len(self._texts))
            if (text := self._texts.encoded(token)) and _INCOMPLETE.encode() not in text and token not in excluded
        }
        self._sorted = array("q", sorted(keys, key=keys.__getitem__))  # in the order of their texts
        self._ids = np.frombuffer(self._sorted, np.int64)

    def text(self, token: int) -> str:
        """Return a token's text."""
        return self._texts[token]

    def newlines(self) -> NDArray[np.int32]:
        """Return the number of newlines in the text of each token, (n,)."""
        return self._texts.newlines()

    def can_be_cut_short(self, token: int) -> bool:
        """Whether the cursor may have cut this token short, if the text before the cursor ends with it.

        A token that ends with a newline was not cut short: code models have tokens of several newlines, so taking one
        back would cause an empty line at the cursor. A part of a character and a control token have no text to spell.
        """
        text = self._texts[token]
        return text != "" and _INCOMPLETE not in text and not text.endswith("\n") and token not in self._excluded

    def spelling(self, text: str) -> NDArray[np.int64]:
        """Return the token ids (n,) with which the spelling of ``text`` can begin.

        These are the tokens that start with ``text``, and those that ``text`` starts with, if another token starts with
        the rest. There is at least one if ``text`` is a whole token that can be cut short, or a rest of it that such a
        token leaves.
        """
        spelling = [self._ids[self._starting_with(text)]]
        for length in range(1, len(text)):
            same = slice(self._place(text[:length]), self._place(text[:length] + "\0"))
            if same.start < same.stop and len(self._ids[self._starting_with(text[length:])]):
                spelling.append(self._ids[same])
        return np.concatenate(spelling)

    def _starting_with(self, text: str) -> slice:
        return slice(self._place(text), self._place(text + chr(0x10FFFF)))

    def _place(self, text: str) -> int:
        """Return where ``text`` would stand among the sorted texts."""
        return bisect_left(self._sorted, text.encode(), key=self._texts.encoded)


class TokenHealing:
    """The text that the first tokens must spell. After it, the model may choose any token."""

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        self._vocabulary = vocabulary
        self._text = text
        self._missing = text

    def allowed(self) -> NDArray[np.int64] | None:
        """Return the token ids (n,) that may come next; None if any may, because the text is complete."""
        return self._vocabulary.spelling(self._missing) if self._missing else None

    def take(self, token: int) -> None:
        """Continue after ``token``, which must be one of those allowed."""
        if self._missing:
            self._missing = self._missing[len(self._vocabulary.text(token)) :]

    @property
    def missing(self) -> str:
        """The text that the next tokens must still spell."""
        return self._missing

    def strip(self, text: str) -> str:
        """Return what ``text`` has after the text that had to be spelt; "" while that is not complete."""
        return text[len(self._text) :] if text.startswith(self._text) else ""
