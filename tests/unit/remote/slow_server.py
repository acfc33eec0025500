"""A slow server with a clock that stands still: it reads prompts and makes tokens as time passes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import common_prefix
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import GenerationRequest
from midfill.remote import server
from midfill.remote.address import parse
from midfill.remote.connection import Connection
from midfill.remote.event_stream import EventStream
from midfill.remote.remote_generator import RemoteGenerator
from midfill.remote.server import Access, Server
from unit.clock import ManualClock
from unit.helpers import manifest, model_tokenizer
from waiting import LIMIT, wait_until

READING, WRITING = 0.01, 0.02
"""Seconds for each token of a prompt that is not in the cache, and for each new token."""


class WatchedConnection(Connection):
    """Tells whether the events that have come were read."""

    _latest: EventStream | None = None

    def open(self, path: str, body: dict[str, Any], max_tokens: int) -> EventStream:
        """See :meth:`midfill.remote.connection.Connection.open`."""
        self._latest = super().open(path, body, max_tokens)
        return self._latest

    @property
    def is_read(self) -> bool:
        """Whether no event of the latest answer waits for its reader."""
        return self._latest is None or self._latest._inbox.empty()


class SlowServer:
    """A :class:`midfill.remote.connection.Client`, and the server behind it, which caches only whole prompts."""

    def __init__(self, following: Callable[[int], int]) -> None:
        """Say after each token the one that ``following`` returns."""
        self._following = following
        self._clock = ManualClock()
        self._cache: list[int] = []
        self.prompts: list[list[int]] = []
        """The prompts that it was asked about."""
        self.closed: list[list[int]] = []
        """The prompts of the answers that were closed before their end."""
        self.connection = WatchedConnection(self)

    async def parts(self, method: str, path: str, sent: bytes | None) -> AsyncGenerator[bytes]:
        """Answer as vLLM does."""
        if path != "/v1/completions":
            yield json.dumps({"data": [{"id": "tiny"}]} if method == "GET" else {}).encode()
            return
        body = json.loads(sent or b"")
        prompt = body["prompt"]
        has_answered = False
        self.prompts.append(prompt)
        try:
            await self._clock.sleep(READING * (len(prompt) - common_prefix(self._cache, prompt)))
            self._cache = [*prompt]
            for left in reversed(range(body["max_tokens"])):
                await self._clock.sleep(WRITING)
                self._cache.append(self._following(self._cache[-1]))
                yield _event(self._cache[-1], is_last=not left)
            has_answered = True
        finally:
            if not has_answered:
                self.closed.append(prompt)

    async def close(self) -> None:
        """Have nothing to close."""

    def pass_time(self, seconds: float) -> float:
        """Let time pass until something happens, at most ``seconds``; return how much is left of them."""

        async def advance() -> float:
            passing = min(seconds, max(self._clock.until_next, 0.0))
            self._clock.advance(passing)
            for _ in range(10):  # what is due goes on as far as it can
                await asyncio.sleep(0)
            return seconds - passing

        left: float = self.connection.submit(advance()).result()
        return left


class Typist:
    """Asks a server for tokens, one request after another, as the worker of an editor's server does."""

    def __init__(self, slow: SlowServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "connect", lambda _: slow.connection)
        known = Server(Access(address=parse("http://127.0.0.1:9")), model_tokenizer())
        known.ready(LIMIT)
        self._made = RemoteGenerator(known, model_tokenizer(), manifest().vocabulary, LIMIT)
        self._slow = slow
        self._worker = ThreadPoolExecutor(max_workers=1)

    def ask(self, prompt: Sequence[int], flag: CancelFlag, max_tokens: int = 3) -> Future[list[Choice]]:
        """Begin to ask for tokens after ``prompt``."""
        request = GenerationRequest(prompt=prompt, max_tokens=max_tokens, stop_tokens=[0])
        self._flag, self._asked = flag, self._worker.submit(lambda: list(self._made.generate(request, flag)))
        wait_until(self._is_settled, "the request")
        return self._asked

    def wait(self, seconds: float) -> None:
        """Let time pass for the server, which takes the client's thread no time."""
        while seconds > 0:
            seconds = self._slow.pass_time(seconds)
            wait_until(self._is_settled, "the reader")

    def keys_to_an_answer(self, prompt: Sequence[int], typed: Sequence[int], seconds: float) -> int | None:
        """Type a token each ``seconds``, and never pause; return how many keys were typed until an answer came."""
        for key in range(len(typed)):
            flag = flag_of_a_key()
            asked = self.ask([*prompt, *typed[: key + 1]], flag)
            self.wait(seconds)
            flag.set("superseded", urgent=False)
            if asked.exception() is None:
                return key + 1
        return None

    def _is_settled(self) -> bool:
        """Whether the request is answered, or waits for what the server has not sent yet."""
        return self._asked.done() or (self._flag._interrupt is not None and self._slow.connection.is_read)


def flag_of_a_key() -> CancelFlag:
    """Return the flag of a request that a keystroke makes."""
    return CancelFlag(urgent=CancelFlag())


def _event(token: int, *, is_last: bool) -> bytes:
    name = f"token_id:{token}"
    logprobs: dict[str, Any] = {"tokens": [name], "token_logprobs": [-0.1], "top_logprobs": [{name: -0.1}]}
    choice = {"text": "x", "logprobs": logprobs, "finish_reason": "length" if is_last else None}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
