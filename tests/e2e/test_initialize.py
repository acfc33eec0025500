"""`initialize`: answered at once, in the editor's own units, while the model loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from e2e.editor import CAPTURED, CURSOR, Editor

ENCODINGS = {"emacs": "utf-32", "neovim": "utf-8", "visual": "utf-16"}
"""What each editor prefers; a server that chose for them would make Emacs and Neovim convert every position."""
SNIPPET = f"def double(number):\n    return number * 2\n\n\nprint(dou{CURSOR}"

pytestmark = pytest.mark.asyncio


@pytest.mark.bundle
@pytest.mark.parametrize("captured", CAPTURED, ids=lambda path: path.stem)
async def test_session_begins_before_the_model_is_loaded(bundle: Path, captured: Path) -> None:
    """Initialize is answered before loading ends; a request that is made at once waits for it and has a suggestion."""
    editor = Editor(captured)
    capabilities = await editor.start({"deadlineMs": 0, "minConfidence": 0})
    place = editor.open(SNIPPET)
    assert not any(isinstance(report, types.WorkDoneProgressEnd) for report in progress_of(editor))

    [item] = await editor.ghost_text(place)
    reports = await editor.wait_until_loaded()
    await editor.stop()

    assert str(item.insert_text).startswith("ble(")
    assert isinstance(reports[0], types.WorkDoneProgressBegin)
    percentages = [report.percentage or 0 for report in reports if isinstance(report, types.WorkDoneProgressReport)]
    assert percentages == sorted(percentages)
    assert [type(report) for report in reports].count(types.WorkDoneProgressEnd) == 1
    assert capabilities.position_encoding == ENCODINGS[captured.stem.partition("_")[0]]
    assert capabilities.inline_completion_provider is not None
    assert editor.client.messages == []


async def test_missing_bundle_is_said_once(tmp_path: Path) -> None:
    """Without a model there is one line that says what to do; the server stays and suggests nothing."""
    editor = Editor(CAPTURED[0])
    await editor.start({"bundle": str(tmp_path / "nothing")})
    place = editor.open(SNIPPET)
    while not editor.client.messages:
        assert await editor.ghost_text(place) == []
    assert await editor.ghost_text(place) == []
    await editor.stop()
    [message] = editor.client.messages
    assert message.type is types.MessageType.Error
    assert str(tmp_path / "nothing") in message.message
    assert "\n" not in message.message


def progress_of(editor: Editor) -> list[object]:
    """Return all progress the editor has been told of."""
    return [report for reports in editor.client.progress_reports.values() for report in reports]
