"""Trims: they cut what the document has already off a suggestion's ends."""

from __future__ import annotations

from collections.abc import Callable

from midfill.code.brackets import OPENERS, QUOTES, is_open
from midfill.postprocess.stops import stop_at_whole_lines
from midfill.prompt.context import Context

Trim = Callable[[str, Context], str]


def trim_start(text: str, context: Context) -> str:
    """On an empty line, skip the empty lines the model would leave first, and the indentation that is there already.

    A line indented less stays where it is, for the block to end before it.
    """
    indent = context.line_prefix
    if indent.strip() or not text.startswith("\n"):
        return text
    line = text.lstrip("\n")
    if line.startswith(indent):
        return line.removeprefix(indent)
    return "" if indent.startswith(line) else text  # the indentation itself may still be coming


def trim_known_lines(text: str, context: Context) -> str:
    """Cut the last line if it stands below the cursor already or repeats those above it: it is whole now."""
    ending = stop_at_whole_lines(text, context)
    return text[: ending.end] if ending else text


def trim_suffix_overlap(text: str, context: Context) -> str:
    """Drop from the suggestion's end what the rest of the cursor's line starts with, such as closing brackets."""
    rest = context.line_suffix.rstrip()
    last_line = text[text.rfind("\n") + 1 :]
    for length in range(min(len(rest), len(last_line)), 0, -1):
        if last_line.endswith(rest[:length]) and not closes_own(text, length):
            return text[: len(text) - length]
    return text


def trim_end(text: str, context: Context) -> str:
    """Cut white space that would dangle at the end of a line."""
    return text if context.line_suffix.strip() else text.rstrip()


TRIMS: dict[str, Trim] = {
    "known-lines": trim_known_lines,
    "suffix-overlap": trim_suffix_overlap,
    "end-space": trim_end,
}


def closes_own(text: str, length: int) -> bool:
    """Whether the last ``length`` characters close a bracket or a string that the suggestion itself opened."""
    head, tail = text[: len(text) - length], text[len(text) - length :]
    last_line = head[head.rfind("\n") + 1 :]
    return any(is_open(quote, last_line) for quote in QUOTES & set(tail)) or any(
        head.count(OPENERS[closer]) > head.count(closer) for closer in tail if closer in OPENERS
    )
