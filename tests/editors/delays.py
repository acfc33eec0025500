"""How long an editor takes from a key to ghost text on the screen, apart from the server, as a table of medians."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from editors.recorder import requests

KEYS = 40
"""How often the key is typed."""
FILE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    retur"
KEY = "n"
"""What is typed behind it: it brings a suggestion that is known after the first time, so that the server is quick."""


@dataclass
class Delays:
    """The samples of one editor."""

    editor: str
    debounce: int
    """Milliseconds that the editor waits after a key before it asks, by itself."""
    log: Path
    """What :mod:`editors.recorder` writes."""
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    """Of the machine, before."""
    whole: list[float] = field(default_factory=list)
    """Milliseconds from the key to the screen."""
    server: list[float] = field(default_factory=list)
    """Milliseconds of these that the server had the request."""
    _known: int = 0

    def before_key(self) -> None:
        """Note how many requests there were."""
        self._known = len(requests(self.log))

    def is_answered(self) -> bool:
        """Whether there was a request since then, and all are answered, with a suggestion or without."""
        made = requests(self.log)
        return len(made) > self._known and all(request.is_over for request in made)

    def shown(self, key: float, shown: float) -> None:
        """Take a sample, in seconds since 1970; one where it is not certain which request is shown is left out."""
        made = requests(self.log)
        if len(made) == self._known + 1 and made[-1].is_over:
            self.whole.append((shown - key) * 1000)
            self.server.append(made[-1].seconds * 1000)

    def row(self) -> tuple[str, ...]:
        """Return medians in milliseconds."""
        own = statistics.median(whole - server for whole, server in zip(self.whole, self.server, strict=True))
        figures = (statistics.median(self.whole), statistics.median(self.server), self.debounce, own - self.debounce)
        loads = f"{self.load:.1f} to {os.getloadavg()[0]:.1f}"
        return (self.editor, str(len(self.whole)), *(f"{figure:.0f}" for figure in figures), loads)


def table(measured: Sequence[tuple[str, ...]]) -> str:
    """Return rows of :meth:`Delays.row` as Markdown."""
    head = ("editor", "keys", "key to screen, ms", "server", "the editor's debounce", "the rest", "load")
    rows = [head, ("---", *["--:"] * (len(head) - 1)), *measured]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
