"""The texts of a vocabulary in little memory: each server has them, also one whose model is in another process."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate


class TokenTexts:
    """Texts by number, kept as one string of UTF-8. As a list, 150,000 short ones take 11 MB; so they take 2."""

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [text.encode() for text in texts]
        self._joined = b"".join(encoded)
        self._ends = array("i", accumulate(map(len, encoded), initial=0))  # faster to read than numpy's

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self.encoded(number).decode()

    def encoded(self, number: int) -> bytes:
        """Return a text in UTF-8, whose order is that of the text."""
        if number < 0:
            raise IndexError(number)
        return self._joined[self._ends[number] : self._ends[number + 1]]
