"""The indentation that the user typed on an empty line: a suggestion begins at the cursor, and its lines follow."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from midfill.code.brackets import OPENERS, unmatched
from midfill.code.languages import PLAIN_TEXT, Language
from midfill.postprocess.lines import indent, lines_upwards
from midfill.postprocess.statement import opens_block
from midfill.prompt.context import Context

_TAB_COLUMNS = 4
"""Number of columns of a tab where an indentation of tabs is compared with one of spaces."""
_LATER_INDENTATION = re.compile(r"(?<=\n)[ \t]+(?=[^ \t\n])")
_CONTINUATION = re.compile(r"[ \t]*(?:[.?&|+]|::)")
"""The start of a line that continues the statement above, such as ``.call()``."""


def begin_at_cursor(text: str, context: Context, language: Language = PLAIN_TEXT) -> str:
    """Cut the indentation that ``text`` brings in addition to what the user typed, and shift its other lines along.

    Nothing is cut where the user's indentation is not complete, so that no line may begin at the cursor: directly below
    a line that opens a block, with the same indentation, and within a block that has lines with more indentation.
    """
    own = context.line_prefix
    if not own or own.strip():
        return text
    brought = text[: indent(text)]
    other_kind = " " if own[0] == "\t" else "\t"
    if not (brought or f"\n{other_kind}" in text) or not _may_begin_here(text, context):
        return text
    base = own + brought if _is_shifted_as_a_whole(text, own + brought) else own

    def shifted(found: re.Match[str]) -> str:
        leading = found[0]
        if leading.startswith(base):
            return own + leading[len(base) :]
        if leading[0] == other_kind and not language.keeps_white_space:
            return _translated(leading, context)
        return min(own, leading, key=len) if brought else leading

    return _LATER_INDENTATION.sub(shifted, text[len(brought) :])


def _is_shifted_as_a_whole(text: str, base: str) -> bool:
    """Return whether the second line agrees that the block's lines begin at ``base``, as the first line does."""
    second = _LATER_INDENTATION.search(text)
    if second is None:
        return True
    is_within = opens_block(text[: text.find("\n")])
    return len(second[0]) > len(base) if is_within else len(second[0]) >= len(base)


def spaces_a_level(text: str) -> int:
    """Return by how many spaces the lines of ``text`` most often are indented more than the line before; 4 if never."""
    widths = [len(found[0]) for found in re.finditer(r"^ *(?=[^ \n])", text, re.MULTILINE)]
    steps = Counter(after - before for before, after in pairwise(widths) if after > before + 1)
    return steps.most_common(1)[0][0] if steps else 4


def _may_begin_here(text: str, context: Context) -> bool:
    """Return whether a line may begin at the cursor with the indentation that the user typed."""
    above = next(lines_upwards(context), None)
    if above is None:
        return True
    here = _columns(context.line_prefix)
    outer = next((line for line in lines_upwards(context) if _columns(line) <= here), "")
    is_directly_above = _columns(above) <= here
    if _columns(outer) < here:
        return is_directly_above or any(unmatched(above, closer)[0] for closer in OPENERS)
    return not (is_directly_above and (opens_block(above) or _CONTINUATION.match(text)))


def _translated(leading: str, context: Context) -> str:
    """Return an indentation of tabs in the user's spaces, or one of spaces in the user's tabs, level by level."""
    own = context.line_prefix
    opener = next((line for line in lines_upwards(context) if _columns(line) < _columns(own)), "")
    outer = opener[: indent(opener)]
    a_level = own.removeprefix(outer) if own.startswith(outer) else own
    width = spaces_a_level(f"{context.prefix}|{context.suffix}")

    def levels(indentation: str) -> int:
        return indentation.count("\t") + indentation.count(" ") // width

    deeper = levels(leading) - levels(outer) - 1
    return own + a_level * deeper if deeper >= 0 else outer


def _columns(line: str) -> int:
    return len(line[: indent(line)].expandtabs(_TAB_COLUMNS))
