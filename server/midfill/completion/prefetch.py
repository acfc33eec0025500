"""Pure: what will be asked for next if a suggestion is accepted, so that it can be written before."""

from __future__ import annotations

import re
from dataclasses import replace

from midfill.completion.types import Completion, Request

_OPENS_A_BLOCK = (":", "{", "(", "[")
_LINE = re.compile(r"([ \t]*)(.*)")
_WIDTH = 4


def after_accepting(request: Request, completion: Completion) -> Request:
    """Return the request at the end of the suggestion, once that stands in the document.

    A suggestion that ends its line is followed by a new one, indented as editors do it: by as much as the line, and one
    step more after what opens a block.
    """
    text = request.text[: completion.start] + completion.text + request.text[completion.end :]
    offset = completion.start + len(completion.text)
    if text[offset : offset + 1] in ("", "\n"):
        indent, content = _LINE.fullmatch(text, text.rfind("\n", 0, offset) + 1, offset).groups()  # type: ignore[union-attr]
        step = _step(text) if content.endswith(_OPENS_A_BLOCK) else ""
        new_line = f"\n{indent}{step}"
        text = text[:offset] + new_line + text[offset:]
        offset += len(new_line)
    return replace(request, text=text, offset=offset, automatic=True, alternatives=1)


def _step(text: str) -> str:
    """Return what the document indents a block by: a tab, or as many spaces as its first indented line has."""
    first = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    if first is None:
        return " " * _WIDTH
    return "\t" if first[1][0] == "\t" else " " * min(len(first[1]), 8)
