"""A long session as typing makes it: many requests, half of them cancelled, and nothing that grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.long_session import Resources, Session
from e2e.raw_client import MIDFILL, RawClient
from lengths import only_at_length

REQUESTS = 300
WARM_AFTER = REQUESTS // 2
LEAKED = (REQUESTS - WARM_AFTER) // 10
"""Threads that a server has more if it keeps one of each tenth request. A pool may start a few of its own late."""
NOISE = 1.01
"""The allocators of Python and onnxruntime may take and return some pages."""
FILES = ("settings/schema.py", "common/errors.py", "inference/bundle.py", "lsp/text_document.py", "common/logs.py")
SOURCES = Path(__file__).parents[2] / "server" / "midfill"
TYPED = [SOURCES / name for name in FILES]
"""More files than the server keeps computed prompts for, so that all of those are in use once it is warm."""
OPTIONS = {"shareEngine": False, "maxTokens": 6, "contextTokens": 384, "deadlineMs": 0, "cacheMegabytes": 40}


@only_at_length
@pytest.mark.bundle
def test_requests_while_typing(bundle: Path, tmp_path: Path) -> None:
    """Every request is answered, nothing goes wrong on the way, and the server holds no more than when it was warm."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options=OPTIONS)
        client.wait_until_loaded()
        session = Session(client, TYPED, seed=20)
        session.run(range(WARM_AFTER))
        warm = Resources.of(client)
        session.run(range(WARM_AFTER, REQUESTS))
        grown = Resources.of(client)
        client.request(REQUESTS, "shutdown", None)
        client.notify("exit", None)
        assert client.wait() == 0
        log = client.stderr()
    assert "ERROR" not in log
    assert session.suggestions > REQUESTS // 4
    assert grown.memory.own <= warm.memory.own * NOISE
    assert grown.open_files == warm.open_files
    assert grown.threads < warm.threads + LEAKED
