"""The model leaves memory when nobody asks for anything, and comes back by itself."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from midfill.common.cancel import CancelFlag
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import load_engine
from midfill.completion.lifecycle import Engine, EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request
from midfill.inference.token_generator import OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.clock import ManualClock

TEXT = "def double(number):\n    return number * 2\n\n\nprint(dou"


@pytest.mark.bundle
def test_memory_is_given_back(bundle: Path) -> None:
    """Most of what loading and a completion took is free again, each time, and the same request works again."""
    # In a process of its own: what other tests hold, or leave free within the heap, would blur the figures.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}  # for the tests' own modules
    command = [sys.executable, __file__, str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
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

    def __init__(self, engine: Engine, weights: list[int]) -> None:
        self._engine = engine
        self._weights = weights
        self.warm_up = engine.warm_up
        self.forget = engine.forget
        self.spell = engine.spell
        self.workspace = engine.workspace
        self.model = engine.model

    def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache) -> Completion:
        done = self._engine.complete(request, cancel, cache)
        self._weights.append(resident())
        return done


async def load_and_unload(bundle: Path) -> tuple[int, list[tuple[str, int, int]]]:
    """Return the memory before, and for two rounds the suggestion and the memory with the model and without."""
    settings = LiveSettings(Settings(bundle=bundle, deadline_ms=0, context_tokens=256, unload_minutes=1))
    weights: list[int] = []

    def load_weighed(settings: LiveSettings, on_loading: OnLoading) -> Weighed:
        return Weighed(load_engine(settings, on_loading), weights)

    clock = ManualClock()
    lifecycle = EngineLifecycle(settings, load_weighed, clock)
    scheduler = Scheduler(lifecycle, settings, clock)
    before, rounds = resident(), []
    for _ in range(2):
        await asyncio.wrap_future(scheduler.start())
        scheduler.forget("")  # or the second suggestion would come from the completion cache, without the model
        text = (await scheduler.complete(Request(text=TEXT, offset=len(TEXT)))).text
        clock.advance(60)
        await asyncio.wrap_future(lifecycle.run(lambda _: None))  # the worker has dropped the engine by then
        rounds.append((text, weights[-1], resident()))
    scheduler.close()
    return before, rounds


def resident() -> int:
    """Return the memory this process holds, in bytes."""
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(load_and_unload(Path(sys.argv[1])))))
