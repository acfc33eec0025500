"""How the texts of actions reach a person.

There are three ways. A plug-in that says so (`experimental.midfill.actionText`) gets each piece as it is generated. An
editor that takes documents from a server (`workspace/textDocumentContent`) shows the text as a document at the end. Any
other editor shows a message. The texts quote code, so they are kept in memory only.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from midfill.lsp.capabilities import streams_texts, takes_documents

ACTION_TEXT = "midfill/actionText"
"""The notification of a piece of text: ``{id, title, text, done}``."""
SCHEME = "midfill"
_MAX_KEPT = 20
"""Maximum number of texts that an editor can ask for again."""


@dataclass(frozen=True)
class TextChannel:
    """The ways to one client's user."""

    capabilities: types.ClientCapabilities
    notify: Callable[[str, Any], None]
    """Sends a notification: its method and its params."""
    show_document: Callable[[types.ShowDocumentParams], Awaitable[types.ShowDocumentResult]]
    show_message: Callable[[str], None]


class StreamedTexts:
    """The texts of one client."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._texts: OrderedDict[str, str] = OrderedDict()

    def begin(self, channel: TextChannel, title: str) -> StreamedText:
        """Begin a text."""
        return StreamedText(channel, self._keep, str(next(self._numbers)), title)

    def text(self, uri: str) -> str:
        """Return the text that was shown under a URI; "" if there is none, or if it is no longer kept."""
        return self._texts.get(uri, "")

    def _keep(self, uri: str, text: str) -> None:
        """Keep a text that an editor is going to ask for."""
        self._texts[uri] = text
        while len(self._texts) > _MAX_KEPT:
            self._texts.popitem(last=False)


class StreamedText:
    """A text that is being generated."""

    def __init__(self, channel: TextChannel, keep: Callable[[str, str], None], number: str, title: str) -> None:
        """Show that the text begins.

        Args:
            channel: the ways to the client's user.
            keep: called with a URI and the text that the client is going to ask for under it.
            number: identifies the text.
            title: the text's title.
        """
        self._channel = channel
        self._keep = keep
        self._id = number
        self._title = title
        self._streams = streams_texts(channel.capabilities)
        self._loop = asyncio.get_running_loop()
        self._send("", done=False)

    def write(self, text: str) -> None:
        """Show a piece of the text; may be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
            self._loop.call_soon_threadsafe(lambda: self._send(text, done=False))

    def end(self) -> None:
        """Show that the text ends."""
        self._send("", done=True)

    async def show(self, text: str) -> None:
        """Show the whole text, unless it has been shown piece by piece."""
        if self._streams:
            return
        if takes_documents(self._channel.capabilities):
            uri = f"{SCHEME}:/{self._id}/{self._title}.md".replace(" ", "%20")
            self._keep(uri, f"# {self._title}\n\n{text}\n")
            with contextlib.suppress(JsonRpcException):  # then the message is shown
                shown = await self._channel.show_document(types.ShowDocumentParams(uri, take_focus=False))
                if shown.success:
                    return
        self._channel.show_message(text)

    def _send(self, text: str, *, done: bool) -> None:
        if self._streams:
            params = {"id": self._id, "title": self._title, "text": text, "done": done}
            self._channel.notify(ACTION_TEXT, params)


def registration(capabilities: types.ClientCapabilities) -> types.Registration | None:
    """Return what makes a client ask for Midfill's own documents; None if it cannot."""
    if not takes_documents(capabilities):
        return None
    options = types.TextDocumentContentRegistrationOptions(schemes=[SCHEME])
    return types.Registration(
        id="midfill-texts", method=types.WORKSPACE_TEXT_DOCUMENT_CONTENT, register_options=options
    )
