"""What a script does: an editor without a screen, which has a folder, documents and a server as a process of its own.

The folder is empty at first and lasts as long as the script.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from pygls.uris import to_fs_path

from midfill.actions import ACTIONS
from midfill.client.server_process import SERVE, Json
from midfill.common.errors import HarnessError
from midfill.harness.open_document import OpenDocument
from midfill.harness.script import CURSOR
from midfill.harness.server_session import ANSWER_TIMEOUT_SECONDS, ServerSession
from midfill.lsp.code_actions import DO

ACTION_TIMEOUT_SECONDS = 600.0
"""Seconds that an action may take, which may write a page."""
_BY_KEY, _BY_TYPING = 1, 2
"""LSP's numbers of how a request came about."""
_PARTS = {"line": re.compile(r"\n?[^\n]*"), "word": re.compile(r"\s*(?:\w+|[^\w\s]+)")}
_CREATED, _CHANGED, _DELETED = 1, 2, 3
"""LSP's numbers of what became of a file."""


@dataclass(frozen=True)
class Suggestion:
    """One item of an answer, as far as it is not accepted yet."""

    text: str
    start: int
    end: int
    """Of what it replaces."""
    command: Json | None
    item: Json


class HeadlessEditor:
    """Runs steps; a context manager that ends the server."""

    def __init__(self, folder: Path, bundle: Path | None = None, command: Sequence[str] = SERVE) -> None:
        """Use ``folder``, which is empty, and the ``bundle`` of the user's choice by default."""
        self.folder = folder / "workspace"
        self.folder.mkdir()
        self.session = ServerSession(self.folder, folder / "cache", bundle, command, answer=self._answer_server)
        self._pages: dict[str, OpenDocument] = {}
        self._page: OpenDocument | None = None
        self.suggestions: list[Suggestion] = []
        """The answer that is shown, the best first."""
        self.reason = ""
        """Why there is no suggestion, as `midfill why` has it, or why an action came to nothing."""
        self.answer = ""
        """What the last action had to say."""
        self.applied = False
        """Whether it has edited anything."""

    def __enter__(self) -> HeadlessEditor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.__exit__(kind, error, trace)

    @property
    def page(self) -> OpenDocument:
        """The document that is worked on.

        Raises:
            HarnessError: none was opened.
        """
        if self._page is None:
            raise HarnessError("no document is open.")
        return self._page

    def write(self, file: str, text: str) -> None:
        """Write a file of the workspace."""
        path = self.folder / file
        change = _CHANGED if path.exists() else _CREATED
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        self._tell_of(path, change)

    def remove(self, file: str) -> None:
        """Delete a file of the workspace."""
        try:
            (self.folder / file).unlink()
        except OSError as error:
            raise HarnessError(f"{file} cannot be deleted: {error.strerror}.") from error
        self._tell_of(self.folder / file, _DELETED)

    def open(self, file: str, text: str | None = None, language: str = "") -> None:
        """Open a document, new or as it is on disk, with the cursor at its mark or its end."""
        path = self.folder / file
        if text is None:
            try:
                text = path.read_bytes().decode(errors="replace")
            except OSError as error:
                raise HarnessError(f"{file} cannot be read: {error.strerror}.") from error
        if file in self._pages:
            self.session.notify("textDocument/didClose", {"textDocument": {"uri": self._pages[file].uri}})
        before, _, after = text.partition(CURSOR)
        page = self._page = self._pages[file] = OpenDocument(path, before + after, language)
        page.cursor = len(page.text) - len(after.replace("\r\n", "\n"))
        self.suggestions = []
        self._show(page)

    def save(self) -> None:
        """Write the document to its file."""
        page = self.page
        page.path.parent.mkdir(parents=True, exist_ok=True)
        page.path.write_text(page.as_file(page.text), encoding="utf-8", newline="")
        self.session.notify("textDocument/didSave", {"textDocument": {"uri": page.uri}})

    def type(self, text: str) -> None:
        """Type or paste at the cursor; what was suggested is gone."""
        self._replace(self.page.cursor, self.page.cursor, text)
        self.suggestions = []

    def backspace(self, count: int = 1) -> None:
        """Delete to the left of the cursor; what was suggested is gone."""
        self._replace(max(self.page.cursor - count, 0), self.page.cursor, "")
        self.suggestions = []

    def move(self, after: str) -> None:
        """Put the cursor behind the first place of a text; what was suggested is gone."""
        found = self.page.text.find(after)
        if found < 0:
            raise HarnessError(f"the document has no {after!r}.")
        self.page.cursor = found + len(after)
        self.suggestions = []

    def complete(self, by: str = "typing") -> None:
        """Ask for ghost text, as while typing or by a key, or for the popup; wait for the answer."""
        if by == "popup":
            params = {**self._place(), "context": {"triggerKind": 1}}
            result = self.session.ask("textDocument/completion", params)
        else:
            params = {**self._place(), "context": {"triggerKind": _BY_KEY if by == "key" else _BY_TYPING}}
            result = self.session.ask("textDocument/inlineCompletion", params)
        self.suggestions = [self._suggestion(item) for item in result["items"]]
        self.reason = self.session.last_reason()

    def cancel(self) -> None:
        """Ask for ghost text and take that back at once; the server must answer, with a suggestion or without."""
        params = {**self._place(), "context": {"triggerKind": _BY_TYPING}}
        server = self.session.server()
        answer = server.request("textDocument/inlineCompletion", params)
        server.cancel(answer)
        self.session.wait_for(answer, "what was cancelled")

    def accept(self, part: str = "all") -> None:
        """Put the suggestion, or its next line or word, into the document; what is left stays shown."""
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
        self._replace(self.page.cursor, self.page.cursor, piece)
        told = {"item": shown.item, "acceptedLength": len(piece.encode("utf-16-le")) // 2}
        self.session.notify("textDocument/didPartiallyAcceptCompletion", told)
        moved = len(piece)
        rest = Suggestion(shown.text[moved:], shown.start + moved, shown.end + moved, shown.command, shown.item)
        self.suggestions = [rest]

    def action(self, name: str, words: str = "") -> None:
        """Have an action done with the line of the cursor, or the whole file if it is about that."""
        place = self._place()
        wanted = {
            "action": name,
            "uri": place["textDocument"]["uri"],
            "message" if name == "fix" else "instruction": words,
        }
        if not ACTIONS[name].kind.startswith("source."):
            wanted["range"] = {"start": place["position"], "end": place["position"]}
        self.suggestions = []
        result = self.execute(DO, [wanted], ACTION_TIMEOUT_SECONDS)
        self.answer, self.applied, self.reason = result["text"], result["applied"], result["reason"]

    def set(self, settings: Json) -> None:
        """Change settings, which count together with those set before; null takes one back."""
        self.session.set(settings)

    def kill(self) -> None:
        """Kill the server, and start another as editors do, with the same documents."""
        self.session.kill()
        self.suggestions = []
        for page in self._pages.values():
            self._show(page)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while."""
        time.sleep(seconds)

    def execute(self, command: str, arguments: Sequence[Any], seconds: float = ANSWER_TIMEOUT_SECONDS) -> Any:
        """Have the server run one of its commands; return its result."""
        return self.session.ask("workspace/executeCommand", {"command": command, "arguments": list(arguments)}, seconds)

    def _answer_server(self, method: str, params: Any) -> Any:
        """Apply an edit, and agree to anything else; called while a command is waited for."""
        if method != "workspace/applyEdit":
            return None
        for uri, edits in params["edit"]["changes"].items():
            self._apply(uri, edits)
        return {"applied": True}

    def _apply(self, uri: str, edits: Sequence[Json]) -> None:
        """Edit an open document, or a file."""
        page = next((page for page in self._pages.values() if page.uri == uri), None)
        if page is None:
            path = Path(to_fs_path(uri) or "")
            page = OpenDocument(path, path.read_text(encoding="utf-8") if path.exists() else "")
        for edit in sorted(edits, key=lambda edit: _order(edit["range"]["start"]), reverse=True):
            start, end = (page.offset(edit["range"][side]) for side in ("start", "end"))
            change = page.replace(start, end, edit["newText"])
            if page in self._pages.values():
                self._tell_of_change(page, change)
        if page not in self._pages.values():
            self.write(str(page.path.relative_to(self.folder)), page.as_file(page.text))

    def _place(self) -> Json:
        return {"textDocument": {"uri": self.page.uri}, "position": self.page.position(self.page.cursor)}

    def _suggestion(self, item: Json) -> Suggestion:
        """Read an item of ghost text or of the popup."""
        edit = item.get("textEdit") or {"range": item["range"], "newText": item["insertText"]}
        start, end = (self.page.offset(edit["range"][side]) for side in ("start", "end"))
        return Suggestion(edit["newText"], start, end, item.get("command"), item)

    def _replace(self, start: int, end: int, text: str) -> None:
        self._tell_of_change(self.page, self.page.replace(start, end, text))

    def _tell_of_change(self, page: OpenDocument, change: Json) -> None:
        document = {"uri": page.uri, "version": page.version}
        self.session.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _show(self, page: OpenDocument) -> None:
        document = {
            "uri": page.uri,
            "languageId": page.language,
            "version": page.version,
            "text": page.as_file(page.text),
        }
        self.session.notify("textDocument/didOpen", {"textDocument": document})

    def _tell_of(self, path: Path, change: int) -> None:
        if self.session.is_running:
            changes = [{"uri": path.as_uri(), "type": change}]
            self.session.notify("workspace/didChangeWatchedFiles", {"changes": changes})


def _order(position: Json) -> tuple[int, int]:
    return position["line"], position["character"]
