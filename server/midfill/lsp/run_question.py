"""Asks the user whether a command may be run, by ``window/showMessageRequest``."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable

from lsprotocol import types

from midfill.common.cancel import CancelFlag
from midfill.session.run_permission import ONCE, AskToRun
from midfill.settings.action_settings import ALWAYS, NEVER

_ANSWERS = {"Run once": ONCE, "Always": ALWAYS, "Never": NEVER}
_WAIT_SECONDS = 300
"""After this time without an answer, nothing is run."""
_POLL_SECONDS = 0.2
Send = Callable[[types.ShowMessageRequestParams], Awaitable["types.MessageActionItem | None"]]


def can_ask(capabilities: types.ClientCapabilities) -> bool:
    """Return whether a client says that it shows questions."""
    return capabilities.window is not None and capabilities.window.show_message is not None


def asking(send: Send, loop: asyncio.AbstractEventLoop) -> AskToRun:
    """Return what asks the user, and waits for the answer; for any thread but the event loop's."""

    async def ask(command: str) -> str:
        text = (
            f"May Midfill run `{command}` to check its edit? It runs in a sandbox, on a copy of the project, without a"
            " network. Always and Never hold until the editor is closed; the setting runCode decides for good."
        )
        actions = [types.MessageActionItem(title) for title in _ANSWERS]
        chosen = await send(types.ShowMessageRequestParams(types.MessageType.Info, text, actions))
        return _ANSWERS.get(chosen.title, "") if chosen else ""

    def wait(command: str, cancel: CancelFlag) -> str:
        answer = asyncio.run_coroutine_threadsafe(ask(command), loop)
        for _ in range(int(_WAIT_SECONDS / _POLL_SECONDS)):
            try:
                cancel.check()
                return answer.result(_POLL_SECONDS)
            except concurrent.futures.TimeoutError:
                continue
            except concurrent.futures.CancelledError:
                return ""
        answer.cancel()
        return ""

    return wait
