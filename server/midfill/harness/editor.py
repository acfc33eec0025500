"""What a script does: an editor without a screen, which has a folder, documents and a server as a process of its own.

The folder is empty at first and lasts as long as the script. The server's cache folder lies beside it, so that no count
and no verdict of a script's mixes with the user's; nor do the user's own settings count.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill import journal
from midfill.errors import HarnessError
from midfill.harness.page import Page
from midfill.harness.script import CURSOR
from midfill.server_process import SERVE, Json, ServerProcess
from midfill.settings import default_bundle

PATIENCE = 120.0
"""Seconds after which an answer is not coming."""
_BY_KEY, _BY_TYPING = 1, 2
"""LSP's numbers of how a request came about."""
_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-32"]},
    "window": {"workDoneProgress": True},
    "textDocument": {"inlineCompletion": {}, "completion": {}},
    "workspace": {"workspaceFolders": True},
}
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
        self._cache = folder / "cache"
        self._log = folder / "log"
        self._command = command
        self._bundle = bundle or default_bundle()
        self._settings: Json = {}
        self._server: ServerProcess | None = None
        self._pages: dict[str, Page] = {}
        self._page: Page | None = None
        self.suggestions: list[Suggestion] = []
        """The answer that is shown, the best first."""
        self.reason = ""
        """Why the last answer is empty, as `midfill why` has it."""

    def __enter__(self) -> HeadlessEditor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.__exit__(kind, error, trace)

    @property
    def page(self) -> Page:
        """The document that is worked on.

        Raises:
            HarnessError: none was opened.
        """
        if self._page is None:
            raise HarnessError("no document is open.")
        return self._page

    @property
    def messages(self) -> list[str]:
        """What the server has shown the user."""
        heard = self._server.notifications if self._server is not None else []
        return [str(told["params"]["message"]) for told in list(heard) if told["method"] == "window/showMessage"]

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
            self._running().notify("textDocument/didClose", {"textDocument": {"uri": self._pages[file].uri}})
        before, _, after = text.partition(CURSOR)
        page = self._page = self._pages[file] = Page(path, before + after, language)
        page.cursor = len(page.text) - len(after.replace("\r\n", "\n"))
        self.suggestions = []
        self._show(page)

    def save(self) -> None:
        """Write the document to its file."""
        page = self.page
        page.path.parent.mkdir(parents=True, exist_ok=True)
        page.path.write_text(page.as_file(page.text), encoding="utf-8", newline="")
        self._running().notify("textDocument/didSave", {"textDocument": {"uri": page.uri}})

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
            result = self._ask("textDocument/completion", params)
        else:
            params = {**self._place(), "context": {"triggerKind": _BY_KEY if by == "key" else _BY_TYPING}}
            result = self._ask("textDocument/inlineCompletion", params)
        self.suggestions = [self._suggestion(item) for item in result["items"]]
        verdicts = journal.read_verdicts(self._cache / "journal.jsonl", 1)
        self.reason = verdicts[0].reason if verdicts else ""

    def cancel(self) -> None:
        """Ask for ghost text and take that back at once; the server must answer, with a suggestion or without."""
        answer = self._running().request(
            "textDocument/inlineCompletion", {**self._place(), "context": {"triggerKind": _BY_TYPING}}
        )
        self._running().cancel(answer)
        with contextlib.suppress(FutureTimeout):
            answer.result(PATIENCE)
            return
        raise HarnessError(f"the server did not answer what was cancelled within {PATIENCE:.0f} s.")

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
        self._running().notify("textDocument/didPartiallyAcceptCompletion", told)
        moved = len(piece)
        rest = Suggestion(shown.text[moved:], shown.start + moved, shown.end + moved, shown.command, shown.item)
        self.suggestions = [rest]

    def set(self, settings: Json) -> None:
        """Change settings, which count together with those set before; null takes one back."""
        self._settings |= settings
        if self._server is not None:
            self._server.notify("workspace/didChangeConfiguration", {"settings": {"midfill": self._settings}})

    def kill(self) -> None:
        """Kill the server, and start another as editors do, with the same documents."""
        self._running().kill()
        self._server = None
        self.suggestions = []
        for page in self._pages.values():
            self._show(page)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while."""
        time.sleep(seconds)

    def execute(self, command: str, arguments: Sequence[Any]) -> Any:
        """Have the server run one of its commands; return its result."""
        return self._ask("workspace/executeCommand", {"command": command, "arguments": list(arguments)})

    def has_said(self, text: str) -> bool:
        """Wait a while for a message that contains a text; whether it came."""

        def is_it(told: Json) -> bool:
            return told["method"] == "window/showMessage" and text in told["params"]["message"]

        try:
            self._running().wait_for_notification(is_it, PATIENCE)
        except TimeoutError:
            return False
        return True

    def _running(self) -> ServerProcess:
        if self._server is None:
            environment = {
                "MIDFILL_CACHE": str(self._cache),
                "MIDFILL_CONFIG": str(self._cache / "none.toml"),
                "MIDFILL_BUNDLE": str(self._bundle),
            }
            log = self._log.open("a+b")
            self._server = ServerProcess(self._command, log, env={**os.environ, **environment})
            folder = {"uri": self.folder.as_uri(), "name": self.folder.name}
            params = {
                "processId": None,
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": _CAPABILITIES,
                "initializationOptions": self._settings,
            }
            self._ask("initialize", params)
            self._server.notify("initialized", {})
        return self._server

    def _ask(self, method: str, params: Any) -> Any:
        """Send a request and wait; return its result.

        Raises:
            HarnessError: the server refused, or did not answer.
            ServerEnded: it ended.
        """
        try:
            answer = self._running().request(method, params).result(PATIENCE)
        except FutureTimeout as error:
            raise HarnessError(f"the server did not answer {method} within {PATIENCE:.0f} s.") from error
        if "error" in answer:
            raise HarnessError(f"the server refused {method}: {answer['error']['message']}")
        return answer["result"]

    def _place(self) -> Json:
        return {"textDocument": {"uri": self.page.uri}, "position": self.page.position(self.page.cursor)}

    def _suggestion(self, item: Json) -> Suggestion:
        """Read an item of ghost text or of the popup."""
        edit = item.get("textEdit") or {"range": item["range"], "newText": item["insertText"]}
        start, end = (self.page.offset(edit["range"][side]) for side in ("start", "end"))
        return Suggestion(edit["newText"], start, end, item.get("command"), item)

    def _replace(self, start: int, end: int, text: str) -> None:
        page = self.page
        change = page.replace(start, end, text)
        document = {"uri": page.uri, "version": page.version}
        self._running().notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _show(self, page: Page) -> None:
        document = {
            "uri": page.uri,
            "languageId": page.language,
            "version": page.version,
            "text": page.as_file(page.text),
        }
        self._running().notify("textDocument/didOpen", {"textDocument": document})

    def _tell_of(self, path: Path, change: int) -> None:
        if self._server is not None:
            changes = [{"uri": path.as_uri(), "type": change}]
            self._server.notify("workspace/didChangeWatchedFiles", {"changes": changes})
