"""A long session as typing makes it: hundreds of requests, half of them cancelled, and no memory that grows."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, RawClient

REQUESTS = 200
WARM_AFTER = 50
REQUESTS_PER_VISIT = 10
NOISE = 1.03
"""The allocators of Python and onnxruntime return and take back pages as they like, about a percent either way; one
prompt's logits that were kept for each request would be far more."""
REQUEST_CANCELLED = -32800
SOURCES = Path(__file__).parents[2] / "server" / "midfill"
TYPED = [SOURCES / name for name in ("settings.py", "errors.py", "bundle.py", "documents.py", "logs.py")]
"""More files than the server keeps computed prompts for, so that all of those are in use once it is warm."""


@pytest.mark.bundle
def test_two_hundred_requests_while_typing(bundle: Path, tmp_path: Path) -> None:
    """Every request is answered, nothing goes wrong on the way, and the server holds no more than when it was warm."""
    chance = random.Random(20)  # noqa: S311 - a repeatable session, not a secret
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options={"maxTokens": 6, "contextTokens": 384, "deadlineMs": 0})
        client.wait_until_loaded()
        typists = [Typist(client, path) for path in TYPED]
        cancelled = set(chance.sample(range(REQUESTS), REQUESTS // 2))
        suggestions = 0
        for number in range(REQUESTS):
            if number == WARM_AFTER:
                warm = client.resident_bytes()
            typist = typists[number // REQUESTS_PER_VISIT % len(typists)]
            typist.type(chance.randint(1, 5))
            typist.ask(number)
            if number in cancelled:
                time.sleep(chance.uniform(0, 0.2))
                client.cancel(number)
            answer = client.answer_to(number)
            if number in cancelled and "error" in answer:
                assert answer["error"]["code"] == REQUEST_CANCELLED
            else:
                suggestions += len(answer["result"]["items"])
        grown = client.resident_bytes()
        client.request(REQUESTS, "shutdown", None)
        client.notify("exit", None)
        assert client.wait() == 0
        log = client.stderr()
    assert "ERROR" not in log
    assert suggestions > REQUESTS // 4
    assert grown <= warm * NOISE


class Typist:
    """Types a real file into its own second half, a few characters at a time."""

    def __init__(self, client: RawClient, path: Path) -> None:
        self._client = client
        self._uri = path.as_uri()
        self._text = path.read_text()
        self._at = len(self._text) // 2
        self._version = 0
        client.open(self._text[: self._at], self._uri)

    def type(self, count: int) -> None:
        """Type the next characters."""
        cursor = {"line": self._line, "character": self._character}
        change = {"range": {"start": cursor, "end": cursor}, "text": self._text[self._at : self._at + count]}
        self._at += count
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def ask(self, number: int) -> None:
        """Ask for ghost text at the cursor, without waiting."""
        self._client.ask(number, self._line, self._character, self._uri)

    @property
    def _line(self) -> int:
        return self._text.count("\n", 0, self._at)

    @property
    def _character(self) -> int:
        """The column in utf-16 as in characters: these files have nothing beyond the BMP."""
        return self._at - self._text.rfind("\n", 0, self._at) - 1
