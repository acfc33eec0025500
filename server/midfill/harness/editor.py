"""An editor without a screen: it does the steps of a script. It has a folder, documents, and its own server process."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill.actions import ACTIONS
from midfill.actions.action import Need, Place
from midfill.client.framing import Json
from midfill.client.server_process import SERVE
from midfill.common.errors import HarnessError
from midfill.common.file_identity import resolve
from midfill.common.file_uri import file_in
from midfill.common.limits import MAX_FILE_BYTES
from midfill.common.os_errors import explain
from midfill.common.regular_file import read_regular
from midfill.harness.open_document import OpenDocument
from midfill.harness.script import CURSOR
from midfill.harness.server_session import ANSWER_TIMEOUT_SECONDS, ServerSession
from midfill.lsp.code_actions import DO

ACTION_TIMEOUT_SECONDS = 600.0
"""Maximum time of an action, whose answer may be long."""
_INVOKED, _AUTOMATIC = 1, 2
"""LSP's ``InlineCompletionTriggerKind``."""
_PARTS = {"line": re.compile(r"\n?[^\n]*"), "word": re.compile(r"\s*(?:\w+|[^\w\s]+)")}
_CREATED, _CHANGED, _DELETED = 1, 2, 3
"""LSP's ``FileChangeType``."""


@dataclass(frozen=True)
class Suggestion:
    """One suggestion of the server; after a part of it was accepted, the rest."""

    text: str
    start: int
    """Offset of the start of the replaced text."""
    end: int
    """Offset of the end of the replaced text."""
    command: Json | None
    """The command to execute when it is accepted."""
    item: Json
    """The item that the server sent."""


class HeadlessEditor:
    """Does the steps of a script; a context manager that ends the server."""

    def __init__(self, folder: Path, bundle: Path | None = None, command: Sequence[str] = SERVE) -> None:
        """Use an empty ``folder``, and a ``bundle`` or else the user's default one."""
        self.folder = folder / "workspace"
        self.folder.mkdir()
        self.session = ServerSession(self.folder, folder / "cache", bundle, command, answer=self._answer_server)
        self._documents: dict[str, OpenDocument] = {}
        self._document: OpenDocument | None = None
        self.suggestions: list[Suggestion] = []
        """The suggestions that are shown, the best first."""
        self.reason = ""
        """Why there is no suggestion, as in `midfill why`, or why the last action made no edit; "" otherwise."""
        self.answer = ""
        """The text that the last action returned."""
        self.applied = False
        """Whether the last action edited anything."""

    def __enter__(self) -> HeadlessEditor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.__exit__(kind, error, trace)

    @property
    def document(self) -> OpenDocument:
        """The current document, which is the one that was opened last.

        Raises:
            HarnessError: no document was opened.
        """
        if self._document is None:
            raise HarnessError("no document is open: add a step `open` before this one.")
        return self._document

    def write(self, file: str, text: str) -> None:
        """Write a file of the workspace."""
        path = self.folder / file
        change = _CHANGED if path.exists() else _CREATED
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        self._notify_of_file(path, change)

    def remove(self, file: str) -> None:
        """Delete a file of the workspace."""
        try:
            (self.folder / file).unlink()
        except OSError as error:
            raise HarnessError(f"{file} cannot be deleted: {explain(error)}.") from error
        self._notify_of_file(self.folder / file, _DELETED)

    def open(self, file: str, text: str | None = None, language: str = "") -> None:
        """Open a document with a text, or a file; the cursor is at the mark ``▌``, or else at the end."""
        path = self.folder / file
        if text is None:
            try:
                text = read_regular(path, MAX_FILE_BYTES).decode(errors="replace")
            except OSError as error:
                raise HarnessError(f"{file} cannot be read: {explain(error)}.") from error
        if file in self._documents:
            self.session.notify("textDocument/didClose", {"textDocument": {"uri": self._documents[file].uri}})
        before, _, after = text.partition(CURSOR)
        document = self._document = self._documents[file] = OpenDocument(path, before + after, language)
        document.cursor = len(document.text) - len(after.replace("\r\n", "\n"))
        self.suggestions = []
        self._notify_of_opening(document)

    def save(self) -> None:
        """Write the document to its file."""
        document = self.document
        document.path.parent.mkdir(parents=True, exist_ok=True)
        document.path.write_text(document.as_file(document.text), encoding="utf-8", newline="")
        self.session.notify("textDocument/didSave", {"textDocument": {"uri": document.uri}})

    def type(self, text: str) -> None:
        """Insert a text at the cursor; suggestions disappear."""
        self._replace(self.document.cursor, self.document.cursor, text)
        self.suggestions = []

    def backspace(self, count: int = 1) -> None:
        """Delete characters to the left of the cursor; suggestions disappear."""
        self._replace(max(self.document.cursor - count, 0), self.document.cursor, "")
        self.suggestions = []

    def move(self, after: str) -> None:
        """Put the cursor after the first occurrence of a text; suggestions disappear."""
        found = self.document.text.find(after)
        if found < 0:
            raise HarnessError(f"the document has no {after!r}.")
        self.document.cursor = found + len(after)
        self.suggestions = []

    def complete(self, by: str = "typing") -> None:
        """Request suggestions and wait for them: ghost text ``by`` "typing" or a "key", or the list of the "popup"."""
        if by == "popup":
            params = {**self._place(), "context": {"triggerKind": 1}}
            result = self.session.ask("textDocument/completion", params)
        else:
            params = {**self._place(), "context": {"triggerKind": _INVOKED if by == "key" else _AUTOMATIC}}
            result = self.session.ask("textDocument/inlineCompletion", params)
        self.suggestions = [self._suggestion(item) for item in result["items"]]
        self.reason = self.session.last_reason()

    def edit(self) -> None:
        """Request the next edit and wait for it; the document that it edits becomes the current one."""
        identifier = {"uri": self.document.uri, "version": self.document.version}
        params = {**self._place(), "textDocument": identifier, "context": {"triggerKind": _AUTOMATIC}}
        self.suggestions = []
        for item in self.session.ask("textDocument/copilotInlineEdit", params, ACTION_TIMEOUT_SECONDS)["edits"]:
            uri = item["textDocument"]["uri"]
            self._document = next(document for document in self._documents.values() if document.uri == uri)
            start, end = (self.document.offset(item["range"][side]) for side in ("start", "end"))
            self.suggestions.append(Suggestion(item["text"], start, end, item["command"], item))
            self.session.notify("textDocument/didShowInlineEdit", {"item": item})
        self.reason = self.session.last_reason()

    def cancel(self) -> None:
        """Request ghost text and cancel the request at once; the server must answer, with a suggestion or without."""
        params = {**self._place(), "context": {"triggerKind": _AUTOMATIC}}
        server = self.session.server()
        answer = server.request("textDocument/inlineCompletion", params)
        server.cancel(answer)
        self.session.wait_for(answer, "a cancelled request")

    def accept(self, part: str = "all") -> None:
        """Insert the first suggestion, or only its next "line" or "word"; the rest stays shown."""
        if not self.suggestions:
            raise HarnessError("there is no suggestion to accept.")
        shown = self.suggestions[0]
        found = _PARTS[part].match(shown.text) if part in _PARTS else None
        piece = found[0] if found else shown.text
        if piece == shown.text:
            self._replace(shown.start, shown.end, piece)
            self.suggestions = []
            if shown.command is not None:
                self.execute(shown.command["command"], shown.command.get("arguments", []))
            return
        self._replace(self.document.cursor, self.document.cursor, piece)
        params = {"item": shown.item, "acceptedLength": len(piece.encode("utf-16-le")) // 2}
        self.session.notify("textDocument/didPartiallyAcceptCompletion", params)
        length = len(piece)
        rest = Suggestion(shown.text[length:], shown.start + length, shown.end + length, shown.command, shown.item)
        self.suggestions = [rest]

    def action(self, name: str, words: str = "") -> None:
        """Run an action on the line of the cursor, or on the whole file if the action is for files.

        ``words`` are the error message for an action that needs one, and the instruction for all others.
        """
        place = self._place()
        request = {
            "action": name,
            "uri": place["textDocument"]["uri"],
            "message" if ACTIONS[name].needs is Need.MESSAGE else "instruction": words,
        }
        if Place.FILE not in ACTIONS[name].offered:
            request["range"] = {"start": place["position"], "end": place["position"]}
        self.suggestions = []
        result = self.execute(DO, [request], ACTION_TIMEOUT_SECONDS)
        self.answer, self.applied, self.reason = result["text"], result["applied"], result["reason"]

    def set(self, settings: Json) -> None:
        """Change some settings; earlier changes stay. The value null resets a setting."""
        self.session.set(settings)

    def kill(self) -> None:
        """Kill the server, and start another one with the same documents, as editors do."""
        self.session.kill()
        self.suggestions = []
        for document in self._documents.values():
            self._notify_of_opening(document)

    def wait(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        time.sleep(seconds)

    def execute(self, command: str, arguments: Sequence[Any], seconds: float = ANSWER_TIMEOUT_SECONDS) -> Any:
        """Let the server run one of its commands; return the result."""
        return self.session.ask("workspace/executeCommand", {"command": command, "arguments": list(arguments)}, seconds)

    def _answer_server(self, method: str, params: Any) -> Any:
        """Answer a request of the server: apply an edit, or answer null. Called while a command runs."""
        if method != "workspace/applyEdit":
            return None
        for uri, edits in params["edit"]["changes"].items():
            self._apply(uri, edits)
        return {"applied": True}

    def _apply(self, uri: str, edits: Sequence[Json]) -> None:
        """Edit an open document, or else a file."""
        document = next((document for document in self._documents.values() if document.uri == uri), None)
        is_open = document is not None
        if document is None:
            path = resolve(file_in(uri) or "")
            document = OpenDocument(path, path.read_text(encoding="utf-8") if path.exists() else "")
        for edit in sorted(edits, key=lambda edit: _order(edit["range"]["start"]), reverse=True):
            start, end = (document.offset(edit["range"][side]) for side in ("start", "end"))
            change = document.replace(start, end, edit["newText"])
            if is_open:
                self._notify_of_change(document, change)
        if not is_open:
            self.write(str(document.path.relative_to(resolve(self.folder))), document.as_file(document.text))

    def _place(self) -> Json:
        document = self.document
        return {"textDocument": {"uri": document.uri}, "position": document.position(document.cursor)}

    def _suggestion(self, item: Json) -> Suggestion:
        """Return the suggestion of an item of ghost text or of the popup."""
        edit = item.get("textEdit") or {"range": item["range"], "newText": item["insertText"]}
        start, end = (self.document.offset(edit["range"][side]) for side in ("start", "end"))
        return Suggestion(edit["newText"], start, end, item.get("command"), item)

    def _replace(self, start: int, end: int, text: str) -> None:
        self._notify_of_change(self.document, self.document.replace(start, end, text))

    def _notify_of_change(self, document: OpenDocument, change: Json) -> None:
        identifier = {"uri": document.uri, "version": document.version}
        self.session.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})

    def _notify_of_opening(self, document: OpenDocument) -> None:
        item = {
            "uri": document.uri,
            "languageId": document.language,
            "version": document.version,
            "text": document.as_file(document.text),
        }
        self.session.notify("textDocument/didOpen", {"textDocument": item})

    def _notify_of_file(self, path: Path, change: int) -> None:
        if self.session.is_running:
            changes = [{"uri": path.as_uri(), "type": change}]
            self.session.notify("workspace/didChangeWatchedFiles", {"changes": changes})


def _order(position: Json) -> tuple[int, int]:
    return position["line"], position["character"]
