"""Names for documents that came without one, so that each keeps its own cache from request to request."""

from __future__ import annotations

from collections import OrderedDict

_START = 400
"""Number of characters at the start of a document by which it is known again."""
_KEPT = 32


class DocumentNames:
    """Gives a document the name that it had at its last request."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._given = 0

    def name(self, prefix: str) -> tuple[str, str | None]:
        """Return the name of the document that begins with ``prefix``, and a name that is no longer used, if any."""
        start, forgotten = prefix[:_START], None
        if start not in self._numbers:
            self._given += 1
            self._numbers[start] = self._given
            if len(self._numbers) > _KEPT:
                forgotten = _name(self._numbers.popitem(last=False)[1])
        self._numbers.move_to_end(start)
        return _name(self._numbers[start]), forgotten


def _name(number: int) -> str:
    return f"untitled:api-{number}"
