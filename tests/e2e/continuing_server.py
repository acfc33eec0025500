"""The language server with a writer that knows what comes next only by all that stands there; a program for the tests.

All of the server is real but the model: documents, sessions, the scheduler with its cache and what it prepares. Each
place in each text has suggestions of its own, so that one which is stale, or shifted by a character, gives itself away.

usage: continuing_server.py LOG_LEVEL
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from midfill.common.cancel import CancelFlag
from midfill.common.logs import setup_logging
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.completion.types import Alternative, Completion, Request
from midfill.inference.token_generator import LanguageModel
from midfill.lsp.app import serve_stdio
from midfill.prompt.fim import Part
from midfill.settings.live import LiveSettings

_PIECES = (
    *("value", "total_", "größe", "naïve", "漢字", "🚀", "👩‍🚀", "e\u0301", "x = 1", "return ", "def f(", "()", "]"),
    *(" ", "\t", "    ", "\n", "\n    ", "\n\t", "\n\n", '"', "# ", "1, ", "\u2028", "```"),
)
_ONE_IN_NOTHING, _ONE_IN_REPLACING = 8, 4
_SLOWEST = 4
"""Steps of a few milliseconds that a suggestion takes at most."""


@dataclass(frozen=True)
class Suggestions:
    """All that there is to say at one place; no texts for nothing."""

    texts: tuple[str, ...]
    replaces: int
    """How many characters right of the cursor each takes the place of."""
    steps: int
    """How long it takes to say it."""


def suggestions(before: str, after: str) -> Suggestions:
    """Return what the writer says between two texts: all depends on every character of both."""
    chance = random.Random(f"{before}\0{after}")  # noqa: S311 - repeatable
    steps = chance.randint(0, _SLOWEST)
    if not chance.randrange(_ONE_IN_NOTHING):
        return Suggestions((), 0, steps)
    texts = ("".join(("y", *chance.choices(_PIECES, k=chance.randint(1, 8)))) for _ in range(3))
    word = re.match(r"\w+", after)
    replaces = len(word[0]) if word and not chance.randrange(_ONE_IN_REPLACING) else 0
    return Suggestions(tuple(dict.fromkeys(texts)), replaces, steps)


class Continuing:
    """Stands in for the engine, with characters for tokens."""

    def __init__(self) -> None:
        self.workspace: WorkspaceRetrieval | None = None
        self.model = cast("LanguageModel", None)

    def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache) -> Completion:
        before, after = request.text[: request.offset], request.text[request.offset :]
        found = suggestions(before, after)
        for _ in range(found.steps):
            cancel.check()
            time.sleep(0.003)
        cancel.check()
        first, *others = found.texts or ("",)
        return Completion(
            text=first,
            start=request.offset,
            end=request.offset + found.replaces,
            reason=Reason.NONE if first else Reason.BLANK,
            parts=(Part("suffix", list(map(ord, after))), Part("prefix", list(map(ord, before)))),
            alternatives=tuple(Alternative(text=text) for text in others[: request.alternatives - 1]),
        )

    def spell(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """Nothing is to be read."""

    def forget(self, path: str) -> None:
        """Nothing is remembered here."""


def main(level: str) -> int:
    """Serve until the client leaves."""
    setup_logging(level)

    def make(settings: LiveSettings) -> Scheduler:
        return new_scheduler(settings, lambda *_: Continuing())

    return serve_stdio(make)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
