"""One task of an evaluation: a gap in a document, what stood there, and the checks of the filled document."""

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
    suffix: str
    expected: str
    """What was cut out."""
    checks: str = ""
    """Python source that, run after the completed program, raises unless the program is right; "" for none."""
    language: str = "python"
    """The LSP language id."""
    group: str = ""
    """What the task's result is reported together with; "" for no group of its own."""
    max_lines: int | None = 1
    """Most lines to ask for."""
    max_tokens: int | None = None
    """Most tokens to ask for; None for the setting."""

    @property
    def text(self) -> str:
        """The document with the gap in it."""
        return self.prefix + self.suffix

    def request(self) -> Request:
        """Ask for the gap as an editor would that is told to, the cursor standing in it."""
        return Request(
            text=self.text,
            offset=len(self.prefix),
            path=self.path,
            language=self.language,
            max_lines=self.max_lines,
            max_tokens=self.max_tokens,
        )

    def answered(self, completion: Completion) -> str:
        """Return what is compared with what stood there: of a task of one line the first line, without outer blanks."""
        text = completion.text.partition("\n")[0] if self.max_lines == 1 else completion.text
        return text.strip()

    def is_exact(self, completion: Completion) -> bool:
        """Compare with what stood there, as published infilling scores do: without outer blanks."""
        return self.answered(completion) == self.expected.strip()

    def similarity(self, completion: Completion) -> float:
        """Return the edit similarity to what stood there, 0 to 1, without outer blanks.

        Twice the length of the longest common subsequence over both lengths, as CrossCodeEval and RepoBench have it.
        """
        return float(Indel.normalized_similarity(self.answered(completion), self.expected.strip()))

    def program(self, completion: Completion) -> str:
        """Return the program with its gap filled, and its checks."""
        filled = self.text[: completion.start] + completion.text + self.text[completion.end :]
        return f"{filled}\n{self.checks}\n"


def spread(items: list[Item], limit: int) -> list[Item]:
    """Return at most ``limit`` items, at even distances from the first on; the same ones every time."""
    count = min(limit, len(items))
    return [items[index * len(items) // count] for index in range(count)]
