"""The next edit over the real model: a client of Copilot's messages renames a parameter, and repairs a like line."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, URI, Json, RawClient
from edited_texts import CIRCLE, CONFIG

OPTIONS = {"nextEdit": True, "workspaceTokens": 0}


def _range(line: int, start: int, end: int) -> Json:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def _change(client: RawClient, version: int, changed: Json, text: str) -> None:
    document = {"uri": URI, "version": version}
    client.notify(
        "textDocument/didChange",
        {"textDocument": document, "contentChanges": [{"range": changed, "text": text}]},
    )


def _ask(client: RawClient, number: int, version: int, line: int, character: int) -> list[Json]:
    params = {
        "textDocument": {"uri": URI, "version": version},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2},
    }
    edits: list[Json] = client.request(number, "textDocument/copilotInlineEdit", params)["result"]["edits"]
    return edits


def _applied(text: str, edit: Json) -> str:
    """Return a text of plain ASCII with an edit."""
    starts = [0, *(n + 1 for n, character in enumerate(text) if character == "\n")]
    start, end = (starts[edit["range"][side]["line"]] + edit["range"][side]["character"] for side in ("start", "end"))
    return f"{text[:start]}{edit['text']}{text[end:]}"


@pytest.mark.bundle
def test_rename_is_continued_at_the_other_uses(bundle: Path, tmp_path: Path) -> None:
    """A parameter is renamed in its function, and nowhere else; once that is applied, nothing more is offered."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options=OPTIONS)
        client.open(CIRCLE)
        client.wait_until_loaded()
        _change(client, 1, _range(3, 9, 10), "radius")
        [edit] = _ask(client, 1, 1, 3, 15)
        renamed = CIRCLE.replace("def area(r,", "def area(radius,")
        body = (
            '    if radius < 0:\n        raise ValueError("negative")\n    return math.pi * radius * radius * scale\n'
        )
        after = _applied(renamed, edit)
        assert body in after
        assert "def circumference(r):\n    return 2 * math.pi * r\n" in after
        assert edit["textDocument"] == {"uri": URI, "version": 1}
        client.notify("textDocument/didShowInlineEdit", {"item": edit})
        _change(client, 2, edit["range"], edit["text"])
        client.request(2, "workspace/executeCommand", edit["command"])
        assert _ask(client, 3, 2, 7, 10) == []
        counts = client.request(4, "workspace/executeCommand", {"command": "midfill.statistics"})["result"]
        assert (
            "next edit, cursor" in client.request(5, "workspace/executeCommand", {"command": "midfill.why"})["result"]
        )
    assert ["edits", "applied", "1"] in [line.split() for line in counts.splitlines()]


@pytest.mark.bundle
def test_like_line_is_changed_alike(bundle: Path, tmp_path: Path) -> None:
    """The second of two like lines gets what the first one got; typing it by hand leaves the rest of it on offer."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options=OPTIONS)
        client.open(CONFIG)
        client.wait_until_loaded()
        _change(client, 1, _range(3, 38, 38), ', ""')
        changed = CONFIG.replace('get("HOST")', 'get("HOST", "")')
        [edit] = _ask(client, 1, 1, 3, 42)
        assert _applied(changed, edit) == changed.replace('get("PORT")', 'get("PORT", "")')
        _change(client, 2, _range(4, 38, 38), ",")
        typed = changed.replace('get("PORT")', 'get("PORT",)')
        [rest] = _ask(client, 2, 2, 4, 39)
        assert _applied(typed, rest) == changed.replace('get("PORT")', 'get("PORT", "")')


@pytest.mark.bundle
def test_nothing_is_offered_unless_wanted(bundle: Path, tmp_path: Path) -> None:
    """The setting is off by default."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options={"workspaceTokens": 0})
        client.open(CIRCLE)
        client.wait_until_loaded()
        _change(client, 1, _range(3, 9, 10), "radius")
        assert _ask(client, 1, 1, 3, 15) == []
