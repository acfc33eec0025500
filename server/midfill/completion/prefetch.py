"""The request that is likely after a suggestion is accepted, so that its answer can be generated ahead. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from midfill.completion.types import Completion, Request

_OPENS_A_BLOCK = (":", "{", "(", "[")
_LINE = re.compile(r"([ \t]*)(.*)")
_DEFAULT_INDENTATION = 4
_MAX_INDENTATION = 8
"""Numbers of spaces of one level of indentation."""
_SEARCHED_CHARACTERS = 20_000
"""Number of characters at the start of a document in which its indentation is looked for."""
_INDENTED = re.compile(r"^([ \t]+)\S", re.MULTILINE)


def after_accepting(request: Request, completion: Completion) -> Request:
    """Return the request at the end of an accepted suggestion.

    If the suggestion ends its line, the request is in a new line. That is indented as editors do it: like the line
    before, and by one more level if that line opens a block.
    """
    text = request.text[: completion.start] + completion.text + request.text[completion.end :]
    offset = completion.start + len(completion.text)
    if text[offset : offset + 1] in ("", "\n"):
        indent, content = _LINE.fullmatch(text, text.rfind("\n", 0, offset) + 1, offset).groups()  # type: ignore[union-attr]
        step = _step(text) if content.endswith(_OPENS_A_BLOCK) else ""
        new_line = f"\n{indent}{step}"
        text = text[:offset] + new_line + text[offset:]
        offset += len(new_line)
    return replace(request, text=text, offset=offset, automatic=True, alternatives=1, ahead=True)


def _step(text: str) -> str:
    """Return one level of the document's indentation: a tab, or the spaces of its first indented line."""
    first = _INDENTED.search(text, 0, _SEARCHED_CHARACTERS)
    if first is None:
        return " " * _DEFAULT_INDENTATION
    return "\t" if first[1][0] == "\t" else " " * min(len(first[1]), _MAX_INDENTATION)
