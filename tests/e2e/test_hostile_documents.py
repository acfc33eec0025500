"""Documents that nobody writes, over the real server with the real model: other documents do not wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, URI, RawClient
from lengths import cases
from unit.hostile import hostile

pytestmark = [pytest.mark.bundle, pytest.mark.timeout(300)]

OTHER = "file:///work/other.py"
FIBONACCI = "def fibonacci(n):\n    if n < 2:\n        return n\n    return "
_OPTIONS = {"deadlineMs": 0, "minConfidence": 0, "contextTokens": 512}
_FIRST_LINE = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
_CODE_ACTION = {"textDocument": {"uri": URI}, "range": _FIRST_LINE, "context": {"diagnostics": []}}


@pytest.fixture
def client(bundle: Path, tmp_path: Path) -> Iterator[RawClient]:
    """Return a client of a server with the real model; its folder has no other files."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options={**_OPTIONS, "bundle": str(bundle)}, folder=tmp_path)
        client.wait_until_loaded()
        yield client


TEXTS = ("word", "quotes", "brackets", "functions", "lines of brackets", "short lines")


@pytest.mark.parametrize("name", cases(TEXTS, ["word", "functions", "short lines"]))
def test_other_document_is_answered_meanwhile(client: RawClient, name: str) -> None:
    """A request and a code action in 3 MB are cancelled; both are answered, and the other document has a suggestion."""
    text = hostile(name, 3_000_000)
    client.open(text)
    client.open(FIBONACCI, OTHER)
    client.ask(1, text.count("\n"), len(text) - text.rfind("\n") - 1)
    client.send(id=2, method="textDocument/codeAction", params=_CODE_ACTION)
    client.ask(3, 3, len("    return "), OTHER)
    client.cancel(1)
    client.cancel(2)
    assert client.answer_to(3)["result"]["items"][0]["insertText"]
    assert {"result", "error"} & client.answer_to(1).keys()
    assert {"result", "error"} & client.answer_to(2).keys()


def test_prompt_far_within_a_long_line(client: RawClient) -> None:
    """The prompt has the text on both sides of the cursor, and no place is "within a secret"."""
    line = "values = {" + ", ".join(f"'key{number}': {number}" for number in range(20_000))
    client.open(f"{line}}}\n")
    client.ask(1, 0, line.index("'key10000'"))
    assert "result" in client.answer_to(1)
    why = client.request(2, "workspace/executeCommand", {"command": "midfill.why", "arguments": [1]})["result"]
    assert "'key9998': 9998, 'key9999': 9999," in why
    assert "'key10000': 10000, 'key10001': 10001" in why
    assert "in-secret" not in why
