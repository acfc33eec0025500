"""An editor with a folder open and a server of its own, to look at prompts; the model writes next to nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from e2e.plain_text import Json, PlainText, prompt_parts
from e2e.raw_client import RawClient
from waiting import wait_until

CURSOR = "▌"
OPTIONS = {"maxTokens": 2, "contextTokens": 256, "workspaceTokens": 256, "minConfidence": 0, "deadlineMs": 0}

Parts = list[tuple[str, str]]
"""Where each part of a prompt comes from, and its text."""


class Workbench:
    """Edits files of one folder."""

    def __init__(self, client: RawClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self._numbers = itertools.count(1)
        self._pages: dict[str, PlainText] = {}
        self.seen: list[str] = []
        """All pages that :meth:`why` has returned."""

    def start(self, options: Json) -> None:
        """Begin the session, and wait for the model; not for the index."""
        self.client.initialize(options=OPTIONS | options, folder=self.folder)
        self.client.wait_until_loaded()

    def write(self, name: str, text: str) -> None:
        """Write a file, without telling anybody."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def open(self, name: str, marked: str) -> None:
        """Open a document, whose first line is a comment that :meth:`ask` counts up, with the cursor at the mark."""
        page = self._pages[name] = PlainText(f"# 0\n{marked.replace(CURSOR, '')}", "utf-16")
        page.cursor = 4 + marked.index(CURSOR)
        self.client.open(page.text, self._uri(name))

    def text(self, name: str) -> str:
        """Return a document as it is now."""
        return self._pages[name].text

    def type(self, name: str, text: str) -> None:
        """Type or paste at the cursor."""
        page = self._pages[name]
        self._change(name, page.replace(page.cursor, page.cursor, text))

    def ask(self, name: str, *, invoked: bool = True) -> list[Json]:
        """Ask for ghost text, in a document that is not quite as it was: nothing remembered may serve."""
        page = self._pages[name]
        after, number = page.after, next(self._numbers)
        self._change(name, page.replace(2, page.text.index("\n"), str(number)))
        page.cursor = len(page.text) - len(after)
        params = {
            "textDocument": {"uri": self._uri(name)},
            "position": page.position(page.cursor),
            "context": {"triggerKind": 1 if invoked else 2},
        }
        items: list[Json] = self.client.request(number, "textDocument/inlineCompletion", params)["result"]["items"]
        return items

    def why(self, last: int = 1) -> str:
        """Return the page about the last requests."""
        params = {"command": "midfill.why", "arguments": [last]}
        self.seen.append(self.client.request(next(self._numbers), "workspace/executeCommand", params)["result"])
        return self.seen[-1]

    def prompt(self, name: str) -> Parts:
        """Ask outright; return the prompt."""
        self.ask(name)
        return prompt_parts(self.why())

    def wait_for_prompt(self, is_so: Callable[[Parts], bool], name: str) -> Parts:
        """Ask until the prompt is so: what changes on disk is read beside, and nobody waits for that."""

        def ask() -> list[Parts]:
            return [parts for parts in [self.prompt(name)] if is_so(parts)]

        [parts] = wait_until(ask, f"a prompt of {name} that is so")
        return parts

    def changed_on_disk(self, *names: str) -> None:
        """Tell of files that were made, changed or deleted."""
        changes = [{"uri": self._uri(name), "type": 2} for name in names]
        self.client.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    def saved(self, name: str) -> None:
        """Tell that a document was saved."""
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": self._uri(name)}})

    def set(self, settings: Json) -> None:
        """Change settings."""
        self.client.notify("workspace/didChangeConfiguration", {"settings": {"midfill": settings}})

    def leave(self) -> None:
        """End the session in good order."""
        self.client.request(next(self._numbers), "shutdown", None)
        self.client.notify("exit", None)
        assert self.client.wait() == 0

    def _change(self, name: str, change: Json) -> None:
        document = {"uri": self._uri(name), "version": 1}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def _uri(self, name: str) -> str:
        """Return the URI of a document, by its file's name or by that URI."""
        return name if ":" in name else (self.folder / name).as_uri()


def mentions(*texts: str) -> Callable[[Parts], bool]:
    """Return whether a prompt has each text in what comes of other files."""

    def are_there(parts: Parts) -> bool:
        others = [part for origin, part in parts if origin.split()[0] not in ("prefix", "suffix")]
        return all(any(text in part for part in others) for text in texts)

    return are_there
