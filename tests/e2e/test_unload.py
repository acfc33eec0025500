"""The model leaves memory when nobody asks for anything, and comes back by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from midfill.completer import Completer, engine_loader
from midfill.completion import Request
from midfill.settings import Settings

PATIENCE = 120.0
TEXT = "def double(number):\n    return number * 2\n\n\nprint(dou"


@pytest.mark.bundle
async def test_memory_is_given_back(bundle: Path) -> None:
    """Most of what loading and a completion took is free again, each time, and the same request works again."""
    settings = Settings(bundle=bundle, deadline_ms=0, context_tokens=256)
    completer = Completer(engine_loader(settings), unload_after=0.5)
    before = resident()
    texts = []
    for _ in range(2):
        completer.start()
        texts.append((await completer.complete(Request(text=TEXT, offset=len(TEXT)))).text)
        loaded = resident()
        for _ in range(round(PATIENCE / 0.1)):
            if completer.state == "idle":
                break
            await asyncio.sleep(0.1)
        await dropped(completer)
        assert loaded - before > 300e6, "the test is about a real model"
        assert resident() - before < (loaded - before) / 4
    assert texts[0].startswith("ble(")
    assert texts[0] == texts[1]
    completer.close()


def resident() -> int:
    """Return the memory this process holds."""
    return int(psutil.Process().memory_info().rss)


async def dropped(completer: Completer) -> None:
    """Wait until the worker has nothing left to do."""
    await asyncio.wrap_future(completer._worker.submit(lambda: None))
