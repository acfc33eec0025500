"""`$/cancelRequest`, and what happens to requests that nobody waits for any more, with the real model."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from e2e.editor import CURSOR, Editor, Place, inline_completion_at

pytestmark = [pytest.mark.bundle, pytest.mark.asyncio(loop_scope="session")]

REQUEST_CANCELLED = -32800
WHY = types.ExecuteCommandParams("midfill.why", arguments=[1])
LONG = f"def fibonacci(n):\n    {CURSOR}\n"


async def test_cancelled_request_is_answered_so(editor: Editor) -> None:
    """A request cancelled while it is worked on is answered with RequestCancelled, and the next one works."""
    place = editor.open(unread_document())
    asked = await ask(editor, place, "to-be-cancelled")
    # When this is answered, the model works on the request before it.
    await editor.client.workspace_execute_command_async(WHY)
    editor.client.cancel_request(types.CancelParams(id="to-be-cancelled"))
    with pytest.raises(JsonRpcException) as cancelled:
        await asked
    assert cancelled.value.code == REQUEST_CANCELLED
    assert await editor.ghost_text(place) != []


async def test_request_cancelled_before_it_began(editor: Editor) -> None:
    """A cancellation right behind its request is no different."""
    place = editor.open(LONG)
    asked = await ask(editor, place, "cancelled-at-once")
    editor.client.cancel_request(types.CancelParams(id="cancelled-at-once"))
    with pytest.raises(JsonRpcException) as cancelled:
        await asked
    assert cancelled.value.code == REQUEST_CANCELLED


async def test_newest_of_a_burst_wins(editor: Editor) -> None:
    """Ten requests at once, as from a client that never cancels: all are answered, the last with a suggestion."""
    place = editor.open(LONG)
    asked = [await ask(editor, place, f"burst-{number}") for number in range(10)]
    *older, newest = [answer.items for answer in await asyncio.gather(*asked)]
    assert len(newest) == 1
    assert not any(older)


def unread_document() -> str:
    """Return a document that fills the prompt with text that no other test's document has."""
    return "".join(f"SENSOR_{number} = read_sensor({number * number})\n" for number in range(200)) + LONG


async def ask(editor: Editor, place: Place, number: str) -> asyncio.Future[types.InlineCompletionList]:
    """Send a request under an id of one's own; return its answer to come.

    pytest-lsp sends nothing until its coroutine runs, and nothing more when that is cancelled.
    """
    answer = asyncio.ensure_future(
        editor.client.protocol.send_request_async(  # type: ignore[no-untyped-call]
            types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_completion_at(place), msg_id=number
        )
    )
    await asyncio.sleep(0)
    return answer
