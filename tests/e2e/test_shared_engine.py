"""Servers that share an engine process, over the real bundle: one process, the same texts, and no request lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from e2e.raw_client import MIDFILL, RawClient, ghost_text_at
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import CompletionEngine, load_engine, open_engine
from midfill.completion.types import Request
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
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
COPY = "first_name = form['first_name']\nlast_name = form['last_name']\n"


@pytest.fixture
def environment(short_path: Path) -> dict[str, str]:
    """Return an environment whose servers have the default settings, and share an engine with no others."""
    own = {"MIDFILL_CACHE": "cache", "MIDFILL_CONFIG": "none.toml", "XDG_RUNTIME_DIR": "."}
    return {**os.environ, **{name: str(short_path / path) for name, path in own.items()}}


@pytest.fixture
def servers(bundle: Path, environment: dict[str, str], short_path: Path) -> Iterator[list[RawClient]]:
    """Start two servers at once; return them when they have loaded the model."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(RawClient(MIDFILL, short_path / f"stderr{number}", environment)) for number in range(2)
        ]
        for server in started:
            server.initialize(options=OPTIONS)
        for server in started:
            server.wait_until_loaded()
            server.open(DOCUMENT)
        yield started
    wait_until(lambda: not engines(short_path), "the end of the engine")


def engines(runtime: Path) -> list[int]:
    """Return the process ids of the engines of a test."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "midfill.engine.host" in (process.info["cmdline"] or []) and str(runtime) in process.info["cmdline"][-1]
    ]


def suggestion(server: RawClient, number: int) -> str:
    """Return the suggestion at the end of the document's second line."""
    answer = server.request(number, "textDocument/inlineCompletion", ghost_text_at(1, 14))
    return str(answer["result"]["items"][0]["insertText"])


def test_servers_share_one_process(servers: list[RawClient], short_path: Path) -> None:
    """Both get suggestions from it, and neither has the weights in its own memory."""
    first, second = (suggestion(server, 1) for server in servers)
    assert first == second
    assert first.startswith(" low:\n        return low")
    assert len(engines(short_path)) == 1
    for server in servers:
        own = psutil.Process(server.process.pid).memory_full_info().uss
        assert own < 200e6, "the weights alone have 500 MB"


def test_killed_engine_loses_no_request(servers: list[RawClient], short_path: Path) -> None:
    """Requests that run while it is killed are answered, by another engine that both servers share again."""
    for number in range(1, 4):
        for server in servers:
            change = {
                "textDocument": {"uri": "file:///work/sample.py", "version": number},
                "contentChanges": [{"text": f"# {number}\n{DOCUMENT}"}],
            }
            server.notify("textDocument/didChange", change)
            server.ask(number, 2, 14)
        for engine in engines(short_path):
            os.kill(engine, signal.SIGKILL)
        for server in servers:
            answer = server.answer_to(number)
            assert answer["result"]["items"], server.stderr()
    assert len(engines(short_path)) == 1


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
