"""The question whether a command may be run, as a client is asked it."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.lsp.run_question import asking, can_ask


@pytest.mark.parametrize(
    ("title", "answer"), [("Run once", "once"), ("Always", "always"), ("Never", "never"), (None, ""), ("Other", "")]
)
async def test_answer_is_one_of_three(title: str | None, answer: str) -> None:
    """The command is named; a question that is closed is no answer."""
    asked: list[types.ShowMessageRequestParams] = []

    async def send(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        asked.append(params)
        return types.MessageActionItem(title) if title else None

    ask = asking(send, asyncio.get_running_loop())
    assert await asyncio.to_thread(ask, "pytest a.py", CancelFlag()) == answer
    assert "`pytest a.py`" in asked[0].message
    assert [action.title for action in asked[0].actions or ()] == ["Run once", "Always", "Never"]


async def test_a_cancelled_action_does_not_wait_for_an_answer() -> None:
    """The user may never give one."""
    cancel = CancelFlag()

    async def send(_: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        cancel.set("cancelled")
        await asyncio.Event().wait()
        return None

    with pytest.raises(Cancelled):
        await asyncio.to_thread(asking(send, asyncio.get_running_loop()), "pytest a.py", cancel)


def test_a_client_says_whether_it_asks() -> None:
    """Otherwise nobody is asked."""
    window = types.WindowClientCapabilities(show_message=types.ShowMessageRequestClientCapabilities())
    assert can_ask(types.ClientCapabilities(window=window))
    assert not can_ask(types.ClientCapabilities(window=types.WindowClientCapabilities()))
    assert not can_ask(types.ClientCapabilities())
