"""Trims: they cut what the document has already off a suggestion's ends."""

from __future__ import annotations

from midfill.brackets import OPENERS, QUOTES, is_open
from midfill.context import Context
from midfill.filters.stops import stop_at_suffix_line


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


def trim(text: str, context: Context) -> str:
    """Cut what the document has already, and white space that would dangle at the end of a line."""
    text = text[: stop_at_suffix_line(f"{text}\n", context)]  # its last line is whole now
    text = trim_suffix_overlap(text, context)
    return text if context.line_suffix.strip() else text.rstrip()


def trim_suffix_overlap(text: str, context: Context) -> str:
    """Drop from the suggestion's end what the rest of the cursor's line starts with, such as closing brackets."""
    rest = context.line_suffix.rstrip()
    last_line = text[text.rfind("\n") + 1 :]
    for length in range(min(len(rest), len(last_line)), 0, -1):
        if last_line.endswith(rest[:length]) and not _closes_own(text, length):
            return text[: len(text) - length]
    return text


def _closes_own(text: str, length: int) -> bool:
    """Whether the last ``length`` characters close a bracket or a string that the suggestion itself opened."""
    head, tail = text[: len(text) - length], text[len(text) - length :]
    last_line = head[head.rfind("\n") + 1 :]
    return any(is_open(quote, last_line) for quote in QUOTES & set(tail)) or any(
        head.count(OPENERS[closer]) > head.count(closer) for closer in tail if closer in OPENERS
    )
