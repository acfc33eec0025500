"""The indentation that the user typed on an empty line: a suggestion begins at the cursor, and its lines follow."""

from __future__ import annotations

import re

from midfill.code.brackets import OPENERS, has_open_bracket, unmatched
from midfill.code.languages import PLAIN_TEXT, Language
from midfill.postprocess.indentation_style import kind_of, spaces_a_level
from midfill.postprocess.lines import columns, indent, lines_upwards
from midfill.postprocess.statement import opens_block
from midfill.prompt.context import Context

_LATER_INDENTATION = re.compile(r"(?<=\n)[ \t]+(?=[^ \t\n])")
_CONTINUATION = re.compile(r"[ \t]*(?:[.?&|+]|::)")
"""The start of a line that continues the statement above, such as ``.call()``."""


def begin_at_cursor(text: str, context: Context, language: Language = PLAIN_TEXT) -> str:
    """Cut the indentation that ``text`` brings in addition to what the user typed, and shift its other lines along.

    Nothing is cut where the user's indentation is not complete, so that no line may begin at the cursor: directly below
    a line that opens a block, with the same indentation, and within a block that has lines with more indentation.
    """
    own = context.line_prefix
    if not own or own.strip() or not _may_begin_here(text, context):
        return text
    brought = text[: indent(text)]
    base = _base_of_later_lines(text, context)
    other_kind = " " if own[0] == "\t" else "\t"
    is_of_another_kind = other_kind in text and _kind_of_other_lines(context) == other_kind

    def shifted(found: re.Match[str]) -> str:
        leading = found[0]
        if leading.startswith(base):
            return own + leading[len(base) :]
        if leading[0] == other_kind and is_of_another_kind and not language.keeps_white_space:
            return _translated(leading, context)
        return min(own, leading, key=len) if brought else leading

    return _LATER_INDENTATION.sub(shifted, text[len(brought) :])


def _base_of_later_lines(text: str, context: Context) -> str:
    """Return the indentation that the lines of ``text`` below the first one take for that of their block.

    That of the first line may be more than that, or less, because it depends on what the user typed. The second line
    tells it.
    """
    own = context.line_prefix
    base = own + text[: indent(text)]
    second = _LATER_INDENTATION.search(text)
    if second is None:
        return base
    is_less = own.startswith(second[0]) and second[0] != own
    above = next(lines_upwards(context), "")
    is_argument = any(unmatched(above, closer)[1] for closer in ")]")
    if is_less and not is_argument and columns(above) < columns(second[0]):
        return second[0]
    first = text[: text.find("\n")].rstrip()
    is_within = first.endswith(":") or has_open_bracket(first)
    return base if len(second[0]) > len(base) or (len(second[0]) == len(base) and not is_within) else own


def _may_begin_here(text: str, context: Context) -> bool:
    """Return whether a line may begin at the cursor with the indentation that the user typed."""
    above = next(lines_upwards(context), None)
    if above is None:
        return True
    here = columns(context.line_prefix)
    outer = next((line for line in lines_upwards(context) if columns(line) <= here), "")
    is_directly_above = columns(above) <= here
    if columns(outer) < here:
        return is_directly_above or any(unmatched(above, closer)[0] for closer in OPENERS)
    return not (is_directly_above and (opens_block(above) or _CONTINUATION.match(text)))


def _kind_of_other_lines(context: Context) -> str:
    own = len(context.line_prefix)
    return kind_of(context.prefix[: len(context.prefix) - own] + context.suffix)


def _translated(leading: str, context: Context) -> str:
    """Return an indentation of tabs in the user's spaces, or one of spaces in the user's tabs, level by level."""
    own = context.line_prefix
    opener = next((line for line in lines_upwards(context) if columns(line) < columns(own)), "")
    outer = opener[: indent(opener)]
    a_level = own.removeprefix(outer) if own.startswith(outer) else own
    width = spaces_a_level(f"{context.prefix}|{context.suffix}")

    def levels(indentation: str) -> int:
        return indentation.count("\t") + indentation.count(" ") // width

    deeper = levels(leading) - levels(outer) - 1
    return own + a_level * deeper if deeper >= 0 else outer
