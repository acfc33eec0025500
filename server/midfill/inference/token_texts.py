"""The texts of a vocabulary in little memory: each server has them, also one whose model is in another process."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class TokenTexts:
    """Texts by number, kept as one string of UTF-8. As a list, 150,000 short ones take 11 MB; so they take 2."""

    def __init__(self, texts: Iterable[str]) -> None:
        joined, ends = bytearray(), array("i", [0])  # faster to read than numpy's
        for text in texts:
            joined += text.encode()
            ends.append(len(joined))
        self._joined, self._ends = bytes(joined), ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self.encoded(number).decode()

    def newlines(self) -> NDArray[np.int32]:
        """Return the number of newlines in each text, (n,)."""
        before = np.cumsum(np.frombuffer(b"\0" + self._joined, np.uint8) == ord("\n"), dtype=np.int32)
        return np.diff(before[np.frombuffer(self._ends, np.int32)])

    def encoded(self, number: int) -> bytes:
        """Return a text in UTF-8, whose order is that of the text."""
        if number < 0:
            raise IndexError(number)
        return self._joined[self._ends[number] : self._ends[number + 1]]
