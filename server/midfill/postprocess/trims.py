"""Trims: they cut from the start or the end of a suggestion what the document already has."""

from __future__ import annotations

import re
from collections.abc import Callable

from midfill.code.brackets import is_open
from midfill.postprocess.closers import closes_own
from midfill.postprocess.lines import columns
from midfill.postprocess.stops import stop_at_whole_lines
from midfill.prompt.context import Context

Trim = Callable[[str, Context], str]

_BREAK = "  "
_BROKEN_LINE = re.compile(rf"\S{_BREAK}\n")
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_HALF_FENCE = re.compile(r"(?:\n|\A)[ \t]*(?P<fence>`{1,2})\Z")


def trim_start(text: str, context: Context) -> str:
    """When the cursor's line is empty, cut leading empty lines and the indentation that the line already has.

    A first line with less indentation is kept, so that the stop at the end of the block can find it.
    """
    own = context.line_prefix
    if own.strip() or not text.startswith("\n"):
        return text
    line = text.lstrip("\n")
    if line.startswith(own):
        return line.removeprefix(own)
    if not line.strip(" \t"):  # the rest of the indentation may still be generated
        return ""
    return line.lstrip(" \t") if columns(line) >= columns(own) else text


def trim_known_lines(text: str, context: Context) -> str:
    """Cut the last line when it repeats a line below the cursor or the lines before it."""
    ending = stop_at_whole_lines(text, context)
    return text[: ending.end] if ending else text


def trim_suffix_overlap(text: str, context: Context) -> str:
    """Cut from the end what the rest of the cursor's line starts with, such as closing brackets."""
    rest = context.line_suffix.rstrip()
    last_line = text[text.rfind("\n") + 1 :]
    for length in range(min(len(rest), len(last_line)), 0, -1):
        if last_line.endswith(rest[:length]) and not closes_own(text, length):
            return text[: len(text) - length]
    return text


def trim_half_fence(text: str, context: Context) -> str:
    """Cut what a limit left of a Markdown fence: one or two backticks alone on the last line, or code without its end.

    A suggestion that begins with a fence is kept, because it would be blank without it.
    """
    found = _HALF_FENCE.search(text)
    if found is not None and (found.start() or not context.line_prefix.strip()):
        closes_string = len(found["fence"]) == 1 and is_open("`", context.prefix + text[: found.start()])
        text = text if closes_string else text[: found.start()]
    *_, last = [0, *(fence.start() for fence in _FENCE.finditer(text))]
    fences = len(_FENCE.findall(f"{context.prefix}\n{context.suffix}"))
    leaves_open = fences % 2 == 0 and len(_FENCE.findall(context.prefix + text + context.suffix)) % 2 == 1
    return text[:last] if leaves_open and text[:last].strip() else text


def trim_end(text: str, context: Context) -> str:
    """Cut white space at the end, unless other text follows the cursor on its line.

    Two spaces are kept in a document that has lines with two: in Markdown, they break a line.
    """
    if context.line_suffix.strip():
        return text
    trimmed = text.rstrip()
    is_break = bool(trimmed) and text == trimmed + _BREAK
    return text if is_break and _BROKEN_LINE.search(context.prefix + context.suffix) else trimmed


TRIMS: dict[str, Trim] = {
    "known-lines": trim_known_lines,
    "half-fence": trim_half_fence,
    "suffix-overlap": trim_suffix_overlap,
    "end-space": trim_end,
}
