"""The completion engine in this process, with a model that counts the tokens it computes.

The real server cannot report that count: the language server protocol has no place for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from midfill.bench.scenes import Scene
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import CompletionEngine
from midfill.completion.scheduler import new_scheduler
from midfill.completion.types import Request
from midfill.inference.bundle import Bundle, load_bundle
from midfill.inference.kv_cache import KvCache
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.onnx_model import Model, OnnxModel
from midfill.inference.tokenizer import load_tokenizer
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings


class CountingModel:
    """A model that counts the tokens it computes."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.tokens_computed = 0
        """Tokens of all finished steps. A cancelled step computed some tokens too, but their number is unknown."""
        self.sequence: list[int] = []
        """The tokens in the KV cache after the last step. After the last step of a prefill, that is the prompt."""

    def new_cache(self, capacity: int) -> KvCache:
        """See :meth:`midfill.inference.onnx_model.Model.new_cache`."""
        return self._model.new_cache(capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """See :meth:`midfill.inference.onnx_model.Model.step`."""
        logits = self._model.step(ids, cache, rows, cancel)
        self.tokens_computed += len(ids)
        self.sequence = list(cache.tokens)
        return logits


class LoadedBundle:
    """A bundle's tokenizer and model, which several engines share."""

    def __init__(self, settings: Settings) -> None:
        """Load the bundle that ``settings`` name.

        Raises:
            BundleError, ModelError: as :func:`midfill.completion.engine.load_engine`.
        """
        self.bundle: Bundle = load_bundle(settings.bundle)
        self.settings = settings
        self.tokenizer = load_tokenizer(self.bundle)
        self.model = CountingModel(OnnxModel.of(self.bundle, settings.threads))
        has_drafts = self.bundle.manifest.has_draft_graph
        self.draft_model = OnnxModel.that_drafts(self.bundle, settings.threads) if has_drafts else None
        """The model in 4 bits; None if the bundle has none."""

    def new_engine(self) -> CompletionEngine:
        """Return a new engine, whose caches are empty."""
        loaded = LoadedModel(self.bundle, self.tokenizer, self.model, draft_model=self.draft_model)
        return CompletionEngine(loaded, LiveSettings(self.settings))

    def encode(self, text: str) -> list[int]:
        """Return a text's tokens."""
        return self.tokenizer.encode(text)


class InProcess:
    """A :class:`midfill.bench.replay.Suggester`: the server's scheduler, called directly.

    A context manager that ends the scheduler's threads.
    """

    def __init__(self, loaded: LoadedBundle) -> None:
        self._model = loaded.model
        # Nothing runs in idle time: only what a keystroke asks for is counted.
        settings = replace(loaded.settings, warm_up_ms=0, prefetch=False, unload_minutes=0, debounce_ms=0)
        self._scheduler = new_scheduler(LiveSettings(settings), lambda *_: loaded.new_engine())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bench-completer", daemon=True)
        self._path = ""
        self._text = ""
        self._pending: Future[str] = Future()

    def __enter__(self) -> InProcess:
        self._thread.start()
        self._scheduler.start().result()
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def tokens_computed(self) -> int:
        """See :attr:`midfill.bench.replay.Suggester.tokens_computed`."""
        return self._model.tokens_computed

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._path, self._text = scene.path, scene.text

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        self._text = self._text[:offset] + text + self._text[offset:]
        request = Request(
            text=self._text, offset=offset + len(text), path=self._path, language="python", automatic=True
        )
        self._pending = asyncio.run_coroutine_threadsafe(self._complete(request), self._loop)
        return self._pending

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        self._pending.cancel()

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`. There is nothing to wait for: a cancelled step ends."""

    async def _complete(self, request: Request) -> str:
        return (await self._scheduler.complete(request)).text
