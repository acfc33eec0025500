"""Somebody who edits at random with suggestions on the screen, and notices every character that is not as it should be.

What the user sees is :class:`e2e.plain_text.PlainText`; all that the server says is held against it.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from e2e.plain_text import Json, PlainText, prompt_parts
from e2e.raw_client import RawClient

_REQUEST_CANCELLED = -32800
_TYPED = "abcdefgxyz_ ()[]{}:.,='\"#\t01\n" + "éñ漢😀🚀\u0301\u2028"
_PASTED = (
    "x = 1\n",
    "for größe in (1, 2):\n\tprint('🚀')\n", "\n\n", "    return 漢字", "()", "\t", "''", "def f(a, b):\n    ",
    "👩‍🚀", "naïve cafe\u0301",
)  # fmt: skip
_LONGEST = 300
"""Characters after which some of the document is selected and deleted, so that requests stay cheap."""
_FIRST_WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)")

Expected = Callable[[str, str, str, int], None]
"""Called with what stands before and after the cursor, an answer's text and how much it replaces; raises if wrong."""


@dataclass(frozen=True)
class Ghost:
    """A suggestion on the screen."""

    text: str
    replaces: int
    item: Json


class Typist:
    """Edits one document after the other."""

    def __init__(self, client: RawClient, encoding: str, seed: int, check: Expected | None = None) -> None:
        """Check answers with ``check`` too, if somebody knows what they must be."""
        self._client = client
        self._encoding = encoding
        self._chance = random.Random(seed)  # noqa: S311 - repeatable
        self._check = check
        self._number = 0
        self._version = 0
        self._waiting: dict[int, PlainText] = {}
        self._changes: list[Json] = []
        self._uri = ""
        self._page = PlainText("", encoding)
        self._ghost: Ghost | None = None
        self._accepted = ""
        self._done: list[str] = []
        self.counts: dict[str, int] = {}
        """What was done how often."""

    def open(self, text: str, uri: str) -> None:
        """Open a document and put the cursor at its end."""
        self._uri, self._page, self._ghost, self._version = uri, PlainText(text, self._encoding), None, 0
        self._done.clear()
        self._client.open(text, uri)

    def edit(self) -> None:
        """Do one thing at random, and ask for ghost text as an editor does; mostly wait for it."""
        if len(self._page.text) > _LONGEST:
            self._delete_selection()
        else:
            weights = {
                self._type: 40, self._accept: 16, self._accept_word: 10, self._accept_line: 5, self._backspace: 10,
                self._move: 6, self._cycle: 4, self._break_line: 4, self._paste: 4, self._send_all: 1,
            }  # fmt: skip
            [do] = self._chance.choices(list(weights), list(weights.values()))
            do()
        hurries = self._chance.random() < 0.3
        if hurries and self._chance.random() < 0.3:
            return  # the next edit comes in the same message
        number = self._ask(kind=2)
        if hurries:
            if self._chance.random() < 0.5:
                self._client.cancel(number)
                self._count("cancelled")
            return
        self._see(self._answer(number))
        for older in list(self._waiting):
            self._answer(older)
        if self._chance.random() < 0.02:
            time.sleep(0.3)  # long enough for what is done ahead

    def close(self) -> None:
        """See that the server's document is this one, character by character, and close it."""
        for older in list(self._waiting):
            self._answer(older)
        theirs, ours = (normalize("NFC", text) for text in (self._servers_text(), self._page.text))  # as tokenizers do
        assert theirs == ours, self._history(f"the server has {theirs!r}")
        self._client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})

    def _type(self) -> None:
        along = self._ghost is not None and self._chance.random() < 0.5
        text = self._ghost.text[0] if self._ghost and along else self._chance.choice(_TYPED)
        self._count("typed along" if along else "typed")
        self._insert(text)

    def _accept(self) -> None:
        if self._ghost is None:
            return self._type()
        ghost = self._ghost
        self._count("accepted")
        self._replace(self._page.cursor, self._page.cursor + ghost.replaces, ghost.text)
        self._tell_accepted(ghost.item)
        self._accepted = ghost.text
        return None

    def _accept_word(self) -> None:
        word = _FIRST_WORD.match(self._ghost.text) if self._ghost else None
        self._accept_part(word[0] if word else "", "accepted a word")

    def _accept_line(self) -> None:
        self._accept_part(self._ghost.text.partition("\n")[0] if self._ghost else "", "accepted a line")

    def _accept_part(self, part: str, what: str) -> None:
        """Insert a beginning of the suggestion; the editor replaces nothing then, as more is to come."""
        if self._ghost is None or part in ("", self._ghost.text):
            self._accept()
            return
        self._count(what)
        told = {"item": self._ghost.item, "acceptedLength": len(part.encode("utf-16-le")) // 2}
        self._insert(part)
        self._client.notify("textDocument/didPartiallyAcceptCompletion", told)

    def _backspace(self) -> None:
        self._count("backspace")
        self._replace(max(self._page.cursor - 1, 0), self._page.cursor, "")

    def _delete_selection(self) -> None:
        self._count("deleted a selection")
        start, end = sorted(self._chance.sample(range(len(self._page.text)), 2))
        self._replace(start, max(end, start + _LONGEST // 2), "")

    def _move(self) -> None:
        self._count("moved")
        self._ghost = None
        self._flush()
        self._page.cursor = self._chance.randint(0, len(self._page.text))

    def _break_line(self) -> None:
        self._count("newline")
        line = self._page.before.rpartition("\n")[2]
        self._insert("\n" + line[: len(line) - len(line.lstrip(" \t"))])

    def _paste(self) -> None:
        self._count("pasted")
        self._insert(self._chance.choice(_PASTED))

    def _send_all(self) -> None:
        """Send the whole document, as some editors do after formatting."""
        self._count("sent whole")
        self._changes.append({"text": self._page.as_sent(self._page.text)})

    def _cycle(self) -> None:
        """Ask by a key, leaf through what there is, and take one of it."""
        ghosts = self._answer(self._ask(kind=1))
        texts = [ghost.text for ghost in ghosts]
        assert len(set(texts)) == len(texts), self._history(f"one thing twice: {texts}")
        if ghosts:
            self._ghost = self._chance.choice(ghosts)
            self._count("cycled")
            self._accept()

    def _insert(self, text: str) -> None:
        """Type or paste; what is shown stays shown as far as it goes on so."""
        ghost = self._ghost
        self._replace(self._page.cursor, self._page.cursor, text)
        if ghost is not None and not ghost.replaces and ghost.text.startswith(text) and ghost.text != text:
            self._ghost = Ghost(ghost.text[len(text) :], 0, ghost.item)

    def _replace(self, start: int, end: int, text: str) -> None:
        end = min(end, len(self._page.text))
        self._done.append(f"{start}-{end} {text!r}")
        self._changes.append(self._page.replace(start, end, text))
        self._ghost, self._accepted = None, ""

    def _tell_accepted(self, item: Json) -> None:
        self._flush()
        self._number += 1
        command = {name: item["command"][name] for name in ("command", "arguments")}
        answer = self._client.request(self._number, "workspace/executeCommand", command)
        assert "error" not in answer, answer

    def _flush(self) -> None:
        if self._changes:
            self._version += 1
            document = {"uri": self._uri, "version": self._version}
            params = {"textDocument": document, "contentChanges": self._changes}
            self._client.notify("textDocument/didChange", params)
            self._changes = []

    def _ask(self, kind: int) -> int:
        self._flush()
        self._number += 1
        self._waiting[self._number] = copy(self._page)
        params = {
            "textDocument": {"uri": self._uri},
            "position": self._page.position(self._page.cursor),
            "context": {"triggerKind": kind},
        }
        self._client.send(id=self._number, method="textDocument/inlineCompletion", params=params)
        return self._number

    def _answer(self, number: int) -> list[Ghost]:
        """Wait for an answer; see that each item belongs into the document as it was when it was asked for."""
        page = self._waiting.pop(number)
        try:
            answer = self._client.answer_to(number)
        except AssertionError as missing:
            raise AssertionError(self._history(str(missing))) from None
        if "error" in answer:
            assert answer["error"]["code"] == _REQUEST_CANCELLED, answer
            return []
        return [self._ghost_of(item, page) for item in answer["result"]["items"]]

    def _ghost_of(self, item: Json, page: PlainText) -> Ghost:
        start, end = (page.offset(item["range"][side]) for side in ("start", "end"))
        assert start == page.cursor <= end, self._history(f"not at the cursor: {item}")
        assert "\n" not in page.text[start:end], self._history(f"replaces a line end: {item}")
        assert item["insertText"], self._history("an empty suggestion")
        assert "\r" not in item["insertText"], self._history("a line end that is not LSP's own")
        return Ghost(item["insertText"], end - start, item)

    def _see(self, ghosts: list[Ghost]) -> None:
        """Look at the answer to what was asked last, while typing."""
        assert len(ghosts) <= 1, self._history("more than one thing while typing")
        now = ghosts[0] if ghosts else None
        if self._ghost is not None:
            assert now is not None, self._history(f"{self._ghost.text!r} was shown, and is gone")
            expected = (self._ghost.text, self._ghost.replaces)
            assert (now.text, now.replaces) == expected, self._history(f"{expected} was shown, and is now {now}")
            self._count("the rest of what was shown")
        if now is not None and len(self._accepted.strip()) >= _REPEATED:
            assert now.text != self._accepted, self._history("what was accepted is suggested again")
        if self._check is not None:
            self._check(self._page.before, self._page.after, now.text if now else "", now.replaces if now else 0)
        self._ghost = now
        self._count("shown" if now else "nothing shown")

    def _servers_text(self) -> str:
        """Return the server's document, from the prompt for its very start."""
        self._page.cursor = 0
        self._answer(self._ask(kind=2))
        self._number += 1
        why = {"command": "midfill.why", "arguments": [1]}
        parts = prompt_parts(self._client.request(self._number, "workspace/executeCommand", why)["result"])
        texts: dict[str, Any] = {origin.split()[0]: text for origin, text in parts}
        assert texts["prefix"] == ""
        return str(texts["suffix"])

    def _count(self, what: str) -> None:
        self._done.append(what)
        self.counts[what] = self.counts.get(what, 0) + 1

    def _history(self, fault: str) -> str:
        done = "\n".join(self._done[-12:])
        return f"{fault}\nat {self._page.before!r} | {self._page.after!r}\nafter:\n{done}"


_REPEATED = 8
"""Characters that a suggestion must have for it to be strange when it comes a second time."""
