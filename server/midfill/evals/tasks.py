"""A task of a suite of gaps: a document with a gap, the text that was cut out, and checks of the completed program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from rapidfuzz.distance import Indel

from midfill.completion.types import Completion, Request

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class EvalTask:
    """A gap in a document."""

    name: str
    path: str
    prefix: str
    """The document before the gap."""
    suffix: str
    """The document after the gap."""
    expected: str
    """The text that was cut out."""
    checks: str = ""
    """Python code that is run after the completed program, and raises if the program is wrong; "" for none."""
    language: str = "python"
    """The language id of the language server protocol."""
    group: str = ""
    """The name of a group of results in the report; "" for none."""
    max_lines: int | None = 1
    """Maximum number of lines of the answer."""
    max_tokens: int | None = None
    """Maximum number of tokens of the answer; None for the setting's."""

    @property
    def text(self) -> str:
        """The document without the cut-out text."""
        return self.prefix + self.suffix

    def request(self) -> Request:
        """Return an invoked request with the cursor in the gap, as an editor would send it."""
        return Request(
            text=self.text,
            offset=len(self.prefix),
            path=self.path,
            language=self.language,
            max_lines=self.max_lines,
            max_tokens=self.max_tokens,
        )

    def is_exact(self, completion: Completion) -> bool:
        """Return whether the answer is the expected text. Whitespace around both is ignored, as in published scores."""
        return self._answer(completion) == self.expected.strip()

    def similarity(self, completion: Completion) -> float:
        """Return the edit similarity of the answer and the expected text, from 0 to 1.

        It is twice the length of the longest common subsequence, divided by the sum of both lengths, as in
        CrossCodeEval and RepoBench. Whitespace around both texts is ignored.
        """
        return float(Indel.normalized_similarity(self._answer(completion), self.expected.strip()))

    def program(self, completion: Completion) -> str:
        """Return the completed program, followed by its checks."""
        filled = self.text[: completion.start] + completion.text + self.text[completion.end :]
        return f"{filled}\n{self.checks}\n"

    def _answer(self, completion: Completion) -> str:
        """Return the part of a completion that is compared: for a task of one line, only the first line."""
        text = completion.text.partition("\n")[0] if self.max_lines == 1 else completion.text
        return text.strip()


def spread(items: list[Item], limit: int) -> list[Item]:
    """Return at most ``limit`` items, at even distances, starting with the first; the same items every time."""
    count = min(limit, len(items))
    return [items[index * len(items) // count] for index in range(count)]
