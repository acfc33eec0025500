"""`textDocument/inlineCompletion` by the real model, once for each editor's real capabilities."""

from __future__ import annotations

import ast

import pytest
from lsprotocol import types

from e2e.editor import CURSOR, Editor, Place, inline_completion_at

pytestmark = [pytest.mark.bundle, pytest.mark.asyncio(loop_scope="session")]

CONVERSIONS = f"""\
def celsius_to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


def fahrenheit_to_celsius(fahrenheit):
    return ({CURSOR}
"""


async def test_suggestion_names_the_right_variable(editor: Editor) -> None:
    """The inverse of a conversion uses its own parameter, at the cursor, and accepting it leaves valid Python."""
    place = editor.open(CONVERSIONS)
    [item] = await editor.ghost_text(place)
    assert str(item.insert_text).startswith("fahrenheit")
    assert item.range == types.Range(place.position, place.position)
    ast.parse(editor.accepted(place, item))


@pytest.mark.parametrize("emoji", ["😀", "👩‍🚀🚀", "é"], ids=["non-BMP", "joined", "accented"])
async def test_text_outside_ascii_before_the_cursor(editor: Editor, emoji: str) -> None:
    """Whatever units the session counts in, the suggestion continues the word at the cursor and lands behind it."""
    place = editor.open(f"greeting = '{emoji} hello'\nprint('{emoji}', gree{CURSOR}\n")
    [item] = await editor.ghost_text(place)
    assert editor.accepted(place, item).splitlines()[1].startswith(f"print('{emoji}', greeting")
    assert item.range is not None
    assert item.range.start.line == 1
    assert item.range.end == place.position


async def test_document_is_followed_as_it_is_typed_into(editor: Editor) -> None:
    """Changes reach the model: the suggestion is for the document as it is now."""
    place = editor.open(f"first_name = 'A'\nlast_name = 'B'\nprint({CURSOR})\n")
    typed = editor.type(place, "last_")
    [item] = await editor.ghost_text(typed)
    assert editor.accepted(typed, item).splitlines()[2].startswith("print(last_name")


async def test_empty_file(editor: Editor) -> None:
    """An empty document gets an answer."""
    assert isinstance(await editor.ghost_text(editor.open(CURSOR)), list)


async def test_file_of_ten_thousand_lines(editor: Editor) -> None:
    """What is near the cursor decides, in the middle of a file far longer than any prompt."""
    filler = "".join(f"constant_{number} = {number}\n" for number in range(5000))
    place = editor.open(f"{filler}\n\n{CONVERSIONS}\n\n{filler}")
    [item] = await editor.ghost_text(place)
    assert str(item.insert_text).startswith("fahrenheit")
    assert item.range == types.Range(place.position, place.position)


async def test_line_of_a_megabyte(editor: Editor) -> None:
    """A single line of a megabyte, as in minified files, is served like any other."""
    half = "x = 1; " * 75_000
    place = editor.open(f"{half}total_value = 3; print(total_{CURSOR}); {half}")
    assert len(place.text) > 1_000_000
    for item in await editor.ghost_text(place):
        assert item.range is not None
        assert item.range.start.line == item.range.end.line == 0


@pytest.mark.parametrize("beyond", [(1, 500), (500, 0), (500, 500)], ids=["the line", "the document", "both"])
async def test_position_out_of_range(editor: Editor, beyond: tuple[int, int]) -> None:
    """A position outside is taken for the nearest inside, as LSP asks."""
    place = editor.open(f"width_in_pixels = 3\nprint(width_{CURSOR}")
    outside = Place(place.uri, place.text, types.Position(*beyond))
    [there], [here] = await editor.ghost_text(outside), await editor.ghost_text(place)
    assert (there.insert_text, there.range) == (here.insert_text, here.range)


async def test_unknown_document(editor: Editor) -> None:
    """A document that was never opened gets an empty list."""
    assert await editor.ghost_text(Place("file:///work/never_opened.py", "", types.Position(0, 0))) == []


async def test_selected_popup_item_is_extended(editor: Editor) -> None:
    """With another server's item selected in the popup, the suggestion goes on from that item and keeps its range."""
    place = editor.open(f"import os\n\nnames = os.li{CURSOR}\n")
    start = types.Position(2, place.position.character - 2)
    params = inline_completion_at(place)
    params.context.selected_completion_info = types.SelectedCompletionInfo(
        range=types.Range(start, place.position), text="listdir"
    )
    result = await editor.client.text_document_inline_completion_async(params)
    assert isinstance(result, types.InlineCompletionList)
    [item] = result.items
    assert str(item.insert_text).startswith("listdir(")
    assert item.range == types.Range(start, place.position)
