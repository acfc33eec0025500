"""Which diagnostics of a document appeared since its latest changes: a place that a change has broken."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

_MAX_DOCUMENTS = 64
_MAX_DIAGNOSTICS = 1_000
"""Maximum number of diagnostics of one document that are compared."""


@dataclass(frozen=True)
class Diagnostic:
    """What another server says about a line of a document."""

    line: int
    """From 0."""
    message: str


class NewDiagnostics:
    """Compares the diagnostics of each document with those that it had first; for one thread at a time.

    Messages are compared, not lines, which move while the user types.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, Counter[str]] = OrderedDict()

    def since_first(self, path: str, diagnostics: Sequence[Diagnostic]) -> list[int]:
        """Return the lines of diagnostics that a document did not have when this was first asked about it.

        What has vanished meanwhile is new if it comes again.
        """
        now = diagnostics[:_MAX_DIAGNOSTICS]
        messages = Counter(diagnostic.message for diagnostic in now)
        known = self._known.get(path)
        left = messages if known is None else known & messages
        self._known[path] = left
        self._known.move_to_end(path)
        while len(self._known) > _MAX_DOCUMENTS:
            self._known.popitem(last=False)
        left = left.copy()
        lines: list[int] = []
        for diagnostic in now:
            if left[diagnostic.message] > 0:
                left[diagnostic.message] -= 1
            else:
                lines.append(diagnostic.line)
        return lines

    def forget(self, path: str) -> None:
        """Forget a document, because it was closed."""
        self._known.pop(path, None)
