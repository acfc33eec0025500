"""The stop at the end of the statement that the user is typing, in any language."""

from __future__ import annotations

import re

from midfill.code.brackets import OPENERS, QUOTES, TRIPLE_QUOTES, has_open_bracket
from midfill.code.enclosures import COMMENT, STRING
from midfill.postprocess.lines import indent
from midfill.prompt.context import Context

_UNFINISHED = (":", "{", "(", "[", ",", "\\", "=", "+", "-", "*", "%", "&", "|", "=>", "->")
"""Ends of a line whose statement continues on the next line."""
_UNFINISHED_WORD = re.compile(r"\b(?:and|or|not|do|then|else|begin)\s*\Z")
_COMMENT = re.compile(r"\s*(?:#|//|--)")
_TRAILING_COMMENT = re.compile(r"\s(?:#|//|--)[^\"'`]{0,200}\Z")
_BLOCK_WORD = re.compile(
    r"\s*(?:(?:local|async|export|default|private|public|protected|static)\s+)*"
    r"(?:function|def|class|module|interface|begin|repeat|loop|if|elif|elsif|elseif|else|unless|for|foreach|while|until"
    r"|case|when|try|catch|rescue|ensure|finally|with)\b"
)
"""First words of a line that opens a block in languages where its end does not show that."""
_FIRST_WORD = re.compile(r"(?P<indent>[ \t]*)(?P<word>\w+(?=\W)|[^\w\s])")
"""A line's indentation and first word. The text so far must show where the word ends."""
_CONTINUATIONS = {
    *OPENERS, ".", "else", "elif", "elsif", "elseif", "except", "finally", "catch", "rescue", "ensure", "case", "when",
    "default", "then", "do", "done", "end", "fi", "esac",
}  # fmt: skip
"""First words of a line that continues the statement above without a deeper indentation."""


def stop_at_statement(text: str, context: Context, place: str = "") -> int | None:
    """End after the statement on the cursor's line, including its block if it has one.

    This is for a user who is typing on that line: generating more would take longer than the next keystroke. The stop
    never applies on an empty line. In a comment or a string every line ends the statement; ``place``, from
    :func:`midfill.postprocess.place.place_of`, tells whether the cursor is in one.
    """
    if not context.line_prefix.strip():
        return None
    end = text.find("\n")
    if end < 0:
        return None
    line = context.line_prefix + text[:end]
    is_prose = place == COMMENT or (place == STRING and QUOTES.isdisjoint(text[:end]))
    if is_prose or not (_goes_on(line) or _opens_string(line, place)):
        return end
    floor = indent(context.line_prefix)
    while end >= 0:
        begun = _FIRST_WORD.match(text, end + 1)
        is_new = begun and len(begun["indent"]) <= floor and begun["word"] not in _CONTINUATIONS
        if is_new and not _opens_string(context.line_prefix + text[:end], place):
            return end
        end = text.find("\n", end + 1)
    return None


def opens_block(line: str) -> bool:
    """Return whether the lines below ``line`` may be indented more: it opens a block, or its statement goes on."""
    return bool(_BLOCK_WORD.match(line)) or _goes_on(_TRAILING_COMMENT.sub("", line))


def _opens_string(text: str, place: str) -> bool:
    """Return whether ``text``, which begins outside any string, ends within triple quotes."""
    return place != STRING and any(text.count(quote) % 2 for quote in TRIPLE_QUOTES)


def _goes_on(line: str) -> bool:
    """Return whether the statement on ``line`` continues on the next line."""
    if _COMMENT.match(line):
        return False
    end = line.rstrip()
    return end.endswith(_UNFINISHED) or bool(_UNFINISHED_WORD.search(end)) or has_open_bracket(line)
