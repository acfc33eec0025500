"""A client in the tests' own process, over JSON as a real one sends it, and a scheduler that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from midfill.completion.types import Completion, Request
from midfill.lsp.app import create_server
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings

URI = "file:///work/a.py"

Json = dict[str, Any]


class ScriptedScheduler:
    """Stands in for a scheduler: answers each request as it is told, and remembers what it was asked."""

    def __init__(self, answer: Callable[[Request], Completion]) -> None:
        self.live: LiveSettings | None = None
        self.answer = answer
        self.requests: list[Request] = []
        self.loading: Future[None] = Future()
        self.report: Callable[[str, float], None] = lambda _message, _fraction: None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.cancelled = 0
        self.closed = False
        self.state = "idle"
        self.starts = 0
        self.expected: list[Request] = []
        self.forgotten: list[str] = []
        self.workspaces: list[object] = []

    def start(self, progress: Callable[[str, float], None]) -> Future[None]:
        self.state = "loading"
        self.starts += 1
        self.report = progress
        return self.loading

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.answer(request)

    def prepare(self, request: Request) -> None:
        self.expected.append(request)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)

    def work_in(self, workspace: object) -> None:
        self.workspaces.append(workspace)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        assert self.live is not None
        return self.live.now

    def spell(self, ids: Sequence[int]) -> str:
        return f"{len(ids)} tokens"

    def close(self) -> None:
        self.closed = True


class Wire:
    """A client in the same process: sends JSON, keeps the JSON that comes back."""

    def __init__(
        self, answer: Callable[[Request], Completion], make_scheduler: Callable[[LiveSettings], Any] | None = None
    ) -> None:
        self.scheduler: Any = ScriptedScheduler(answer)
        self._make_other = make_scheduler
        self.server = create_server(self._make_scheduler)
        self.server.protocol.set_writer(self, include_headers=False)
        self.received: list[Json] = []
        self.writing_threads: set[int] = set()

    def _make_scheduler(self, settings: LiveSettings) -> Any:
        if self._make_other is not None:
            self.scheduler = self._make_other(settings)
        else:
            self.scheduler.live = settings
        return self.scheduler

    def write(self, data: bytes) -> None:
        self.received.append(json.loads(data))
        self.writing_threads.add(threading.get_ident())

    def close(self) -> None:
        """Satisfy pygls' idea of a writer."""

    def send(self, **message: Any) -> None:
        """Send one message as the server would read it."""
        self.server.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def notify(self, method: str, params: Json) -> None:
        self.send(method=method, params=params)

    async def request(self, method: str, params: Json | None, *, number: int = 7) -> Json:
        """Send a request and wait for what is sent back."""
        self.send(id=number, method=method, params=params)
        return await self.answer_to(number)

    async def answer_to(self, number: int) -> Json:
        for wait in [0.0] * 1000 + [0.002] * 5000:  # the latter for answers from other threads
            for message in self.received:
                if message.get("id") == number and "method" not in message:
                    self.received.remove(message)
                    return message
            await asyncio.sleep(wait)
        pytest.fail(f"no answer to request {number}")

    async def settle(self) -> None:
        """Let everything that can run now run."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def initialize(
        self, capabilities: Json | None = None, options: Any = None, workspace: Path | None = None
    ) -> Json:
        root = workspace.as_uri() if workspace else None
        params = {"processId": None, "rootUri": root, "capabilities": capabilities or {}}
        answer = await self.request("initialize", {**params, "initializationOptions": options}, number=1)
        self.notify("initialized", {})
        await self.settle()
        found: Json = answer["result"]["capabilities"]
        return found

    def open(self, text: str) -> None:
        document = {"uri": URI, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, *changes: Json) -> None:
        document = {"uri": URI, "version": 2}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    async def ghost_text(self, line: int, character: int, selected: Json | None = None, kind: int = 2) -> list[Json]:
        context = {"triggerKind": kind, **({"selectedCompletionInfo": selected} if selected else {})}
        answer = await self.request("textDocument/inlineCompletion", {**place(line, character), "context": context})
        items: list[Json] = answer["result"]["items"]
        for item in items:
            command = item.pop("command")
            assert (command["command"], len(command["arguments"])) == ("midfill.accepted", 2)
        return items

    async def popup(self, line: int, character: int, kind: int = 1) -> Json:
        context = {"triggerKind": kind}
        answer = await self.request("textDocument/completion", {**place(line, character), "context": context})
        found: Json = answer["result"]
        return found

    def sent(self, method: str) -> list[Json]:
        """Return the params of the server's own messages of a kind."""
        return [message["params"] for message in self.received if message.get("method") == method]

    def shown(self) -> list[tuple[int, str]]:
        """Return the kind and text of each message for the user."""
        sent = [message["params"] for message in self.received if message.get("method") == "window/showMessage"]
        return [(message["type"], message["message"]) for message in sent]


def insertion(text: str) -> Callable[[Request], Completion]:
    """Make an answer that inserts a text at the cursor."""
    return lambda request: Completion(text=text, start=request.offset, end=request.offset)


def place(line: int, character: int, uri: str = URI) -> Json:
    """Name a position in a document."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def span(start: tuple[int, int], end: tuple[int, int]) -> Json:
    """Name a range."""
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }
