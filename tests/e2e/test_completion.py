"""`textDocument/completion` by the real model: the popup, for editors with and without ghost text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from e2e.editor import CAPTURED, CURSOR, Editor, inline_completion_at

pytestmark = [pytest.mark.bundle, pytest.mark.asyncio(loop_scope="session")]

INCOMPLETE_WORD = f"""\
def average(numbers):
    return sum(numbers) / len(numbers)


print(aver{CURSOR}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def popup_editor(bundle: Path) -> AsyncIterator[Editor]:
    """Return an editor that is real but for having no ghost text, as eglot without Midfill's package."""
    editor = Editor(next(path for path in CAPTURED if path.stem.startswith("emacs")), ghost_text=False)
    await editor.start({"deadlineMs": 0, "minConfidence": 0, "contextTokens": 512})
    await editor.wait_until_loaded()
    yield editor
    await editor.stop()


def assert_is_average(editor: Editor, popup: types.CompletionList) -> None:
    """Assert that the popup has one item, which completes the word and survives the client's own filter."""
    [item] = popup.items
    assert popup.is_incomplete
    assert item.label.startswith("average(")
    assert item.filter_text is not None
    assert item.filter_text.startswith("aver")
    assert item.detail == "Midfill"
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text.startswith("average(")
    assert item.text_edit.range.start == types.Position(4, 6)


async def test_client_without_ghost_text(popup_editor: Editor) -> None:
    """The popup is how Midfill reaches an editor that has no ghost text."""
    place = popup_editor.open(INCOMPLETE_WORD)
    assert_is_average(popup_editor, await popup_editor.popup(place))


async def test_client_with_ghost_text_when_it_asks(editor: Editor) -> None:
    """Asked by a key, the popup has the item in an editor with ghost text too."""
    assert_is_average(editor, await editor.popup(editor.open(INCOMPLETE_WORD)))


async def test_popup_does_not_disturb_ghost_text(editor: Editor) -> None:
    """Asked for both at once, as VS Code asks while one types, the server makes the ghost text."""
    place = editor.open(INCOMPLETE_WORD)
    asked = asyncio.ensure_future(editor.client.text_document_inline_completion_async(inline_completion_at(place)))
    await asyncio.sleep(0)  # so that it is sent first
    popup = await editor.popup(place)
    ghost_text = await asked
    assert not popup.items
    assert isinstance(ghost_text, types.InlineCompletionList)
    assert str(ghost_text.items[0].insert_text).startswith("age(")
