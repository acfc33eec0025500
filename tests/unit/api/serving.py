"""`midfill api` within the test's process: a real server on loopback, with a model of the tests."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from midfill.api.app import Open, make_app, make_server
from midfill.api.listen import address_of, listen
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import CompletionEngine
from midfill.completion.lifecycle import Load
from midfill.engine.open_model import open_model
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import MarkovModel, loaded_model, manifest
from waiting import wait_on_loop_until

KEY = "a-key-of-the-tests"
BEARER = {"Authorization": f"Bearer {KEY}"}


def settings_for(bundle: Path, **changes: Any) -> Settings:
    """Return settings with which the model is in this process, and the gate is open."""
    return Settings(**{"bundle": bundle, "share_engine": False, "min_confidence": 0.0, **changes})


def opening(model: Model) -> Open:
    """Return what opens ``model`` with the tiny tokenizer."""

    def open_it(_settings: Settings, _on_loading: OnLoading) -> LanguageModel:
        return loaded_model(model)

    return open_it


def loading(model: Model) -> Load:
    """Return what loads an engine with ``model`` and the tiny tokenizer."""

    def load(settings: LiveSettings, _on_loading: OnLoading) -> CompletionEngine:
        return CompletionEngine(loaded_model(model), settings)

    return load


@asynccontextmanager
async def serving(settings: Settings, open_it: Open = open_model) -> AsyncIterator[httpx.AsyncClient]:
    """Serve, and give a client that has the key."""
    with listen("127.0.0.1", 0) as listening:
        server = make_server(make_app(LiveSettings(settings), KEY, open_it))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await wait_on_loop_until(lambda: server.started, "the server")
        try:
            async with httpx.AsyncClient(base_url=address_of(listening), headers=BEARER, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            await running


def events_in(body: str) -> list[Any]:
    """Return the values of a stream's events, and the text of its last one if that is no JSON."""
    lines = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def counting_table() -> NDArray[np.float32]:
    """Return a model's table that says the tokens in turn, 40 and up, and never ends."""
    size = manifest().vocabulary
    table = np.zeros((size, size), np.float32)
    table[:, 40] = 1.0
    table[np.arange(40, 100), np.arange(41, 101)] = 2.0
    return table


class PermittedModel(MarkovModel):
    """A model each step of which needs a permit. It notes if it was stopped while it waited for one."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        super().__init__(table)
        self._permits = threading.Semaphore(0)
        self.stopped = threading.Event()
        self.waiting = threading.Event()

    def permit(self, steps: int) -> None:
        """Let the model take some more steps."""
        self._permits.release(steps)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Wait for a permit, and return the rows of the last tokens."""
        while not self._permits.acquire(timeout=0.01):
            self.waiting.set()
            if cancel.is_set:
                self.stopped.set()
            cancel.check()
        return super().step(ids, cache, rows, cancel)
