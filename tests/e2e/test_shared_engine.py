"""Servers that share an engine process and an index, over the real bundle: the same texts, and no request lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from e2e.raw_client import MIDFILL, URI, RawClient, ghost_text_at
from lengths import length
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import CompletionEngine, load_engine, open_engine
from midfill.completion.types import Request
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from own_files import another_cache
from waiting import wait_until

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet"),
]
OPTIONS = {
    "deadlineMs": 0,
    "minConfidence": 0,
    "contextTokens": 512,
    "maxTokens": 16,
    "unloadMinutes": 0,
}
DOCUMENT = "def clamp(value, low, high):\n    if value <\n"
CODE = 'def total(items):\n    """Return the sum of items."""\n    result = 0\n    for item in items:\n        resu'
SERVERS = 4
MARKS = ("kiwi", "plum", "mango", "pear")
"""A word for each server, which its document repeats, so that the model writes it too."""
COPY = "first_name = form['first_name']\nlast_name = form['last_name']\n"


@pytest.fixture(scope="module")
def runtime_folder() -> Iterator[Path]:
    """Return a folder for what servers share; its path is short enough for a socket."""
    with TemporaryDirectory(prefix="midfill-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def servers(bundle: Path, runtime_folder: Path) -> Iterator[list[RawClient]]:
    """Start servers of one workspace at once; return them when they have loaded the model.

    They have the default settings, and share an engine with no others.
    """
    another_cache(runtime_folder / "cache")
    own = {"MIDFILL_CACHE": "cache", "MIDFILL_CONFIG": "none.toml", "XDG_RUNTIME_DIR": "."}
    environment = {**os.environ, **{name: str(runtime_folder / path) for name, path in own.items()}}
    workspace = runtime_folder / "workspace"
    workspace.mkdir()
    (workspace / "limits.py").write_text("LOWEST = 0\n\n\ndef highest():\n    return 9\n")
    with ExitStack() as stack:
        started = [
            stack.enter_context(RawClient(MIDFILL, runtime_folder / f"stderr{number}", environment))
            for number in range(SERVERS)
        ]
        for server in started:
            server.initialize(options=OPTIONS, folder=workspace)
        for server in started:
            server.wait_until_loaded()
            server.open(DOCUMENT)
        yield started
    wait_until(lambda: not shared_processes(runtime_folder), "the end of the engine and of the index")


def shared_processes(runtime: Path) -> dict[str, list[int]]:
    """Return the process ids of the engines and the indexes of a test, by their modules."""
    found: dict[str, list[int]] = {}
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]
        if command[-1].startswith(f"{runtime}/midfill/"):
            found.setdefault(command[-2], []).append(process.pid)
    return found


def engines(runtime: Path) -> list[int]:
    """Return the process ids of the engines of a test."""
    return shared_processes(runtime).get("midfill.engine.host", [])


def suggestion(server: RawClient, number: int) -> str:
    """Return the suggestion at the end of the document's second line."""
    change(server, number, DOCUMENT)
    answer = server.request(number, "textDocument/inlineCompletion", ghost_text_at(1, 14))
    return str(answer["result"]["items"][0]["insertText"])


def test_servers_share_one_engine_and_one_index(servers: list[RawClient], runtime_folder: Path) -> None:
    """All get suggestions from it, and each has little in its own memory. It has no other process."""
    suggestions = {suggestion(server, 1) for server in servers}
    assert len(suggestions) == 1
    assert suggestions.pop().startswith(" low:\n        return low")
    found = shared_processes(runtime_folder)
    assert {module: len(processes) for module, processes in found.items()} == {
        "midfill.engine.host": 1,
        "midfill.retrieval.shared_worker": 1,
    }
    memory = [psutil.Process(server.process.pid).memory_full_info().uss for server in servers]
    assert max(memory[1:]) <= 120e6
    children = {child.pid for server in servers for child in psutil.Process(server.process.pid).children()}
    assert children <= {process for processes in found.values() for process in processes}


def change(server: RawClient, version: int, text: str) -> None:
    """Type a document's new text."""
    params = {"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"text": text}]}
    server.notify("textDocument/didChange", params)


def test_killed_engine_loses_no_request(servers: list[RawClient], runtime_folder: Path) -> None:
    """Requests that run while it is killed are answered, by another engine that both servers share again."""
    for number in range(1, length(3, 4)):
        for server in servers:
            change(server, number, f"# {number}\n{DOCUMENT}")
            server.ask(number, 2, 14)
        for engine in engines(runtime_folder):
            os.kill(engine, signal.SIGKILL)
        for server in servers:
            answer = server.answer_to(number)
            assert answer["result"]["items"], server.stderr()
    assert len(engines(runtime_folder)) == 1


def type_words(server: RawClient, mark: str, requests: int) -> list[str]:
    """Type a server's word again and again, and cancel each second request at once; return all texts."""
    texts = []
    for number in range(1, requests + 1):
        line = f"{mark}_colour = colours["
        change(server, number, f"# {number}\n{mark}_price = prices['{mark}']\n{mark}_size = sizes['{mark}']\n{line}\n")
        server.ask(number, 3, len(line))
        if number % 2:
            server.cancel(number)
        answer = server.answer_to(number)
        texts.append("".join(item["insertText"] for item in (answer.get("result") or {"items": []})["items"]))
    return texts


def test_texts_of_servers_are_not_crossed(servers: list[RawClient]) -> None:
    """Requests of four servers at once, half of them cancelled: all are answered, each with its server's own word."""
    requests = length(24, 2000) // SERVERS
    with ThreadPoolExecutor(max_workers=SERVERS) as threads:
        texts = list(threads.map(type_words, servers, MARKS, [requests] * SERVERS))
    assert [len(answers) for answers in texts] == [requests] * SERVERS
    for mark, answers in zip(MARKS, texts, strict=True):
        assert all(text.startswith(f"'{mark}']") for text in answers[1::2])
        assert not any(other in text for text in answers for other in MARKS if other != mark)


@pytest.fixture(scope="module")
def pipelines(bundle: Path) -> list[CompletionEngine]:
    """Return a pipeline with a model in this process, and one that shares a model."""
    settings = Settings(
        bundle=bundle, share_engine=True, deadline_ms=0, context_tokens=512, unload_minutes=0, min_confidence=0
    )
    return [load_engine(settings), open_engine(LiveSettings(settings))]


@pytest.mark.parametrize(
    "request_",
    [
        Request(text=CODE, offset=len(CODE), path="a.py"),
        Request(text=CODE, offset=len(CODE), path="a.py", alternatives=3),
        Request(text=COPY * 3 + "first_", offset=len(COPY * 3) + 6, path="b.py", max_lines=4, unfiltered=True),
    ],
    ids=["healing", "alternatives", "drafts"],
)
def test_suggestions_are_those_of_one_process(pipelines: list[CompletionEngine], request_: Request) -> None:
    """The texts and the log-probability of each token, to the last bit."""
    alone, shared = (pipeline.complete(request_, CancelFlag()) for pipeline in pipelines)
    assert alone.text
    assert (shared.text, shared.logprobs, shared.alternatives) == (alone.text, alone.logprobs, alone.alternatives)
    assert shared.reason == alone.reason
    assert shared.stopped_by == alone.stopped_by
