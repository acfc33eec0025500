"""Suggestions as LSP items."""

from __future__ import annotations

import re
from typing import cast

from lsprotocol import types

from midfill.completion.types import Completion
from midfill.lsp.text_document import Document

_LABEL_LENGTH = 60
_MAX_WORD_LENGTH = 200
"""Maximum number of characters of the word before the cursor that a popup item replaces."""
_WORD_BEFORE_CURSOR = re.compile(r"\w*\Z")
_FIRST_WORD = re.compile(r"\s*(?:\w+|[^\w\s]+)")


def ghost_texts(
    document: Document, suggestion: Completion, number: int, *, invoked: bool
) -> list[types.InlineCompletionItem]:
    """Return a suggestion and its alternatives, the best one first; nothing if there is no suggestion.

    An invoked request also gets the first line and the first word of the best one. Clients that have no commands to
    accept a part can then offer one.
    """
    where = document.range_between(suggestion.start, suggestion.end)
    texts = _texts(suggestion)
    if invoked and texts and suggestion.start == suggestion.end:
        texts = list(dict.fromkeys([*texts, *_beginnings(suggestion.text)]))
    return [
        types.InlineCompletionItem(insert_text=text, range=where, command=_accepted(number, len(text)))
        for text in texts
    ]


def ghost_texts_after(
    suggestion: Completion, selected: types.SelectedCompletionInfo, offset: int, number: int
) -> list[types.InlineCompletionItem]:
    """Return suggestions that continue the popup's selected item; the item's text ends at ``offset``.

    The client shows only those that have the selected item's range and begin with its text.
    """
    if not suggestion.start == suggestion.end == offset:
        return []
    return [
        types.InlineCompletionItem(
            insert_text=selected.text + text, range=selected.range, command=_accepted(number, len(text))
        )
        for text in _texts(suggestion)
    ]


def popup_item(document: Document, offset: int, suggestion: Completion, number: int) -> types.CompletionItem:
    """Return an item that also replaces the word before the cursor. Clients drop items that do not begin with it."""
    word = cast("re.Match[str]", _WORD_BEFORE_CURSOR.search(document.text, max(offset - _MAX_WORD_LENGTH, 0), offset))
    start = min(word.start(), suggestion.start)
    text = document.text[start : suggestion.start] + suggestion.text
    first_line = text.strip().partition("\n")[0]
    shortened = first_line if len(first_line) <= _LABEL_LENGTH else first_line[: _LABEL_LENGTH - 1] + "…"
    return types.CompletionItem(
        label=shortened,
        kind=types.CompletionItemKind.Snippet,
        detail="Midfill",
        filter_text=first_line,
        sort_text="~",  # below the items of other servers, which are certain
        preselect=False,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range=document.range_between(start, suggestion.end), new_text=text),
        command=_accepted(number, len(suggestion.text)),
    )


ACCEPTED = "midfill.accepted"
"""The command that a client runs after it has inserted an item: the suggestion's number, and the length used."""


def _accepted(number: int, length: int) -> types.Command:
    return types.Command(title="Midfill", command=ACCEPTED, arguments=[number, length])


def _texts(suggestion: Completion) -> list[str]:
    return [text for text in (suggestion.text, *(other.text for other in suggestion.alternatives)) if text]


def _beginnings(text: str) -> list[str]:
    """Return the text up to the end of its first line that is not blank, and up to the end of its first word."""
    head = len(text) - len(text.lstrip())
    end = text.find("\n", head)
    line = text if end < 0 else text[:end]
    word = _FIRST_WORD.match(text)
    return [line, word[0]] if word else [line]
