"""The model leaves memory when nobody asks for anything, and comes back by itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from midfill.common.cancel import CancelFlag
from midfill.completion.completer import CanComplete, Completer
from midfill.completion.engine import OnLoading, load_engine
from midfill.completion.types import Completion, Request
from midfill.settings.schema import Settings

PATIENCE = 120.0
TEXT = "def double(number):\n    return number * 2\n\n\nprint(dou"


@pytest.mark.bundle
def test_memory_is_given_back(bundle: Path) -> None:
    """Most of what loading and a completion took is free again, each time, and the same request works again."""
    # In a process of its own: what other tests hold, or leave free within the heap, would blur the figures.
    done = subprocess.run([sys.executable, __file__, str(bundle)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, rounds = json.loads(done.stdout)
    for _, loaded, unloaded in rounds:
        assert loaded - before > 300e6, "the test is about a real model"
        assert unloaded - before < (loaded - before) / 4
    texts = [text for text, _, _ in rounds]
    assert texts[0].startswith("ble(")
    assert texts[0] == texts[1]


class Weighed:
    """An engine, and the memory held after each completion, before anybody can let it go."""

    def __init__(self, engine: CanComplete, weights: list[int]) -> None:
        self._engine = engine
        self._weights = weights
        self.warm_up = engine.warm_up
        self.forget = engine.forget
        self.spell = engine.spell
        self.workspace = engine.workspace
        self.settings = engine.settings

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        done = self._engine.complete(request, cancel)
        self._weights.append(resident())
        return done


async def load_and_unload(bundle: Path) -> tuple[int, list[tuple[str, int, int]]]:
    """Return the memory before, and for two rounds the suggestion and the memory with the model and without."""
    settings = Settings(bundle=bundle, deadline_ms=0, context_tokens=256)
    weights = []

    def load_weighed(progress: OnLoading) -> Weighed:
        return Weighed(load_engine(settings, progress), weights)

    completer = Completer(load_weighed, unload_after=0.5)
    before, rounds = resident(), []
    for _ in range(2):
        completer.start()
        text = (await completer.complete(Request(text=TEXT, offset=len(TEXT)))).text
        for _ in range(round(PATIENCE / 0.1)):
            if completer.state == "idle":
                break
            await asyncio.sleep(0.1)
        await dropped(completer)
        rounds.append((text, weights[-1], resident()))
    completer.close()
    return before, rounds


def resident() -> int:
    """Return the memory this process holds, in bytes."""
    return int(psutil.Process().memory_info().rss)


async def dropped(completer: Completer) -> None:
    """Wait until the worker has nothing left to do."""
    await asyncio.wrap_future(completer._worker.submit(lambda: None))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(load_and_unload(Path(sys.argv[1])))))
