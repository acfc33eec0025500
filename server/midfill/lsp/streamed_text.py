"""Texts that actions write for a person: how they reach them, and the last one, which hover and questions go on from.

They quote code, so they are in memory only. An editor's plug-in that says so (`experimental.midfill.actionText`) is
told of each piece as it is written; an editor that takes documents from a server (`workspace/textDocumentContent`) is
shown one at the end; any other, a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from midfill.actions import Outcome
from midfill.lsp.code_actions import own_capabilities

if TYPE_CHECKING:
    from midfill.lsp.server import MidfillServer

ACTION_TEXT = "midfill/actionText"
"""The notification of a piece of text: ``{id, title, text, done}``."""
SCHEME = "midfill"
_KEPT = 20
"""Texts that an editor may ask for again."""


@dataclass(frozen=True)
class ShownText:
    """A text, and what it is about."""

    uri: str
    document: str
    """The text that was explained was part of."""
    outcome: Outcome

    def covers(self, uri: str, document: str, line: int) -> bool:
        """Say whether it is about a line of a document as it is now."""
        selection = self.outcome.task.selection
        about = selection.first_line <= line < selection.end_line
        return about and (uri, document) == (self.uri, self.document)


class StreamedTexts:
    """The texts of one client."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._texts: OrderedDict[str, str] = OrderedDict()
        self.last: ShownText | None = None

    def begin(self, server: MidfillServer, title: str) -> StreamedText:
        """Begin a text."""
        return StreamedText(server, next(self._numbers), title)

    def register(self, server: MidfillServer) -> None:
        """Have an editor that can ask for documents of Midfill's own."""
        if _takes_documents(server):
            options = types.TextDocumentContentRegistrationOptions(schemes=[SCHEME])
            registration = types.Registration(
                id="midfill-texts", method=types.WORKSPACE_TEXT_DOCUMENT_CONTENT, register_options=options
            )
            server.client_register_capability(types.RegistrationParams(registrations=[registration]))

    def text(self, uri: str) -> str:
        """Return the text that was shown under a URI; "" for none, or one that is long gone."""
        return self._texts.get(uri, "")

    def keep(self, uri: str, text: str) -> None:
        """Have a text ready that an editor is going to ask for."""
        self._texts[uri] = text
        while len(self._texts) > _KEPT:
            self._texts.popitem(last=False)


class StreamedText:
    """A text that is being written."""

    def __init__(self, server: MidfillServer, number: int, title: str) -> None:
        self._server = server
        self._id = str(number)
        self._title = title
        self._streams = own_capabilities(server.client_capabilities).get("actionText") is True
        self._loop = asyncio.get_running_loop()
        self._send("", done=False)

    def write(self, text: str) -> None:
        """Show a piece of it; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
            self._loop.call_soon_threadsafe(lambda: self._send(text, done=False))

    def end(self) -> None:
        """Show that this is all there is of it."""
        self._send("", done=True)

    async def show(self, text: str) -> None:
        """Show the whole, unless it has been shown piece by piece."""
        if self._streams:
            return
        if _takes_documents(self._server):
            uri = f"{SCHEME}:/{self._id}/{self._title}.md".replace(" ", "%20")
            self._server.answers.keep(uri, f"# {self._title}\n\n{text}\n")
            with contextlib.suppress(JsonRpcException):  # then there is the message
                shown = await self._server.window_show_document_async(types.ShowDocumentParams(uri, take_focus=False))
                if shown.success:
                    return
        self._server.show(types.MessageType.Info, text)

    def _send(self, text: str, *, done: bool) -> None:
        if self._streams:
            params = {"id": self._id, "title": self._title, "text": text, "done": done}
            self._server.protocol.notify(ACTION_TEXT, params)


def _takes_documents(server: MidfillServer) -> bool:
    capabilities = server.client_capabilities
    window, workspace = capabilities.window, capabilities.workspace
    shows = window is not None and window.show_document is not None and window.show_document.support
    content = workspace.text_document_content if workspace else None
    return bool(shows and content and content.dynamic_registration)
