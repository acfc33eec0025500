"""One task of an evaluation: a gap in a program, what stood there, and the checks the filled program must pass."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.completion import Completion, Request


@dataclass(frozen=True, kw_only=True)
class Task:
    """A gap of one line in a Python program."""

    name: str
    path: str
    prefix: str
    suffix: str
    expected: str
    """The line that was cut out, its indentation included."""
    checks: str
    """Source that, run after the completed program, raises unless the program is right."""

    def request(self) -> Request:
        """Ask for the gap as an editor would, the cursor standing in it."""
        text = self.prefix + self.suffix
        return Request(text=text, offset=len(self.prefix), path=self.path, language="python", max_lines=1)

    def is_exact(self, completion: Completion) -> bool:
        """Compare the first line with what stood there; as published infilling scores do, without outer blanks."""
        return completion.text.partition("\n")[0].strip() == self.expected.strip()

    def program(self, completion: Completion) -> str:
        """Return the program with its gap filled, and its checks."""
        text = self.prefix + self.suffix
        filled = text[: completion.start] + completion.text + text[completion.end :]
        return f"{filled}\n{self.checks}\n"


def spread(tasks: list[Task], limit: int) -> list[Task]:
    """Return at most ``limit`` tasks, at even distances from the first on; the same ones every time."""
    count = min(limit, len(tasks))
    return [tasks[index * len(tasks) // count] for index in range(count)]
