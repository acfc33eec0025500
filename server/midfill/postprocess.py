"""Pure text filters between the model and the editor, one function each, each with a reason code.

A *stop* looks at the text while it streams out and says where it should end; a *trim* mends its end; a *drop* looks at
the whole suggestion and says why it is not worth showing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from midfill.brackets import OPENERS, QUOTES, brackets, has_open_bracket, is_open, unmatched
from midfill.context import Context

Stop = Callable[[str, Context], "int | None"]
Drop = Callable[[str, Context], bool]

_FENCE = "```"
_UNFINISHED = (":", "{", "(", "[", ",", "\\", "=", "+", "-", "*", "%", "&", "|", "=>", "->")
"""A line that ends so goes on below."""
_UNFINISHED_WORD = re.compile(r"\b(?:and|or|not|do|then|else|begin)\s*\Z")
_COMMENT = re.compile(r"\s*(?:#|//|--)")
_FIRST_WORD = re.compile(r"(?P<indent>[ \t]*)(?P<word>\w+(?=\W)|[^\w\s])")
"""A line's first word, once it is known where that ends."""
_CONTINUATIONS = {
    *OPENERS, ".", "else", "elif", "elsif", "elseif", "except", "finally", "catch", "rescue", "ensure", "case", "when",
    "default", "then", "do", "done", "end", "fi", "esac",
}  # fmt: skip
"""What a line begins with that belongs to the statement above, though it is indented no deeper."""


def stop_at_suffix_line(text: str, context: Context) -> int | None:
    """End before a line that already stands below the cursor; lines of closing brackets alone are too common."""
    below = _line_below(context)
    if not any(character.isalnum() for character in below):
        return None
    start = text.find("\n") + 1
    while start > 0:
        end = text.find("\n", start)
        if end < 0:
            return None
        if text[start:end].rstrip() == below:
            return start - 1
        start = end + 1
    return None


def stop_at_dedent(text: str, context: Context) -> int | None:
    """End before a line indented less than the cursor's: the block is over."""
    floor = _indent(context.line_prefix)
    start = text.find("\n") + 1
    while start > 0:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        content = line.lstrip(" \t")
        if content and content[0] not in OPENERS and _indent(line) < floor:
            return start - 1
        start = end + 1
    return None


def stop_at_closer(text: str, context: Context) -> int | None:
    """End before the bracket or quote that comes next in the document anyway: the hole is filled.

    Editors close what is opened at once, so that the cursor mostly stands in ``f(|)``; a model that goes on after
    ``x)`` writes what would belong right of the document's bracket.
    """
    rest = context.suffix.lstrip()
    if rest[:1] in OPENERS:
        return _find_closing_bracket(text, context, rest[0])
    if rest[:1] in QUOTES and context.line_suffix.strip() and is_open(rest[0], context.line_prefix):
        closing = rest[: len(rest) - len(rest.lstrip(rest[0]))]
        found = re.search(rf"(?<!\\){closing}", text)
        return found.start() if found else None
    return None


def stop_at_fence(text: str, context: Context) -> int | None:
    """End before a Markdown fence, in a document that has none: the model has begun to talk about the code."""
    if _FENCE in context.prefix or _FENCE in context.suffix:
        return None
    found = re.search(rf"\n[ \t]*{_FENCE}", text)
    return found.start() if found else None


STOPS: dict[str, Stop] = {
    "suffix-line": stop_at_suffix_line,
    "dedent": stop_at_dedent,
    "closer": stop_at_closer,
    "fence": stop_at_fence,
}


def stop_at_statement(text: str, context: Context) -> int | None:
    """End with the statement that the cursor's line is part of: with its block, if it has one, else with its line.

    For somebody who is typing on that line. What comes after is another thought, and waiting for it would take longer
    than the next keystroke. On an empty line nothing has begun, and this stop never applies.
    """
    if not context.line_prefix.strip():
        return None
    end = text.find("\n")
    if end < 0:
        return None
    if not _goes_on(context.line_prefix + text[:end]):
        return end
    floor = _indent(context.line_prefix)
    while end >= 0:
        begun = _FIRST_WORD.match(text, end + 1)
        if begun and len(begun["indent"]) <= floor and begun["word"] not in _CONTINUATIONS:
            return end
        end = text.find("\n", end + 1)
    return None


def find_stop(text: str, context: Context, max_lines: int, *, one_statement: bool = False) -> int | None:
    """Return where ``text`` should end, by the first stop that applies; None to go on decoding."""
    stops = [*STOPS.values(), stop_at_statement] if one_statement else STOPS.values()
    ends = [end for stop in stops if (end := stop(text, context)) is not None]
    limit = _line_limit(text, max_lines)
    return min(ends if limit is None else [*ends, limit], default=None)


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


def drop_blank(text: str, _context: Context) -> bool:
    """Drop nothing but white space."""
    return not text.strip()


def drop_suffix_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion that makes the cursor's line the same as the line that follows already."""
    following = _line_below(context)
    return len(following.strip()) > 3 and (context.line_prefix + text).rstrip() == following


DROPS: dict[str, Drop] = {"blank": drop_blank, "suffix-repeat": drop_suffix_repeat}


def reason_to_drop(text: str, context: Context) -> str:
    """Return the code of the first drop that applies, or "" to show the suggestion."""
    return next((reason for reason, drop in DROPS.items() if drop(text, context)), "")


def _goes_on(line: str) -> bool:
    """Whether the statement on ``line`` goes on below it."""
    if _COMMENT.match(line):
        return False
    end = line.rstrip()
    return end.endswith(_UNFINISHED) or bool(_UNFINISHED_WORD.search(end)) or has_open_bracket(line)


def _line_limit(text: str, max_lines: int) -> int | None:
    end = -1
    for _ in range(max_lines):
        end = text.find("\n", end + 1)
        if end < 0:
            return None
    return end


def _line_below(context: Context) -> str:
    """Return the first line below the cursor that is not blank, indentation and all; "" for none."""
    return next((line.rstrip() for line in context.suffix.split("\n")[1:] if line.strip()), "")


def _find_closing_bracket(text: str, context: Context, closer: str) -> int | None:
    """Return where ``text`` closes the bracket that ``closer``, next in the document, closes too.

    Brackets opened on the cursor's line beyond those that its rest closes are for ``text`` to close. When the
    document's closer stands on a line of its own, one at the start of a line is that same one if it is indented alike.
    """
    opener = OPENERS[closer]
    in_line = bool(context.line_suffix.strip())
    spare = unmatched(context.line_prefix, closer)[1] - unmatched(context.line_suffix, closer)[0]
    own_indent = _indent(_line_below(context))
    depth = 0
    for place, bracket in brackets(text, closer):
        if bracket == opener:
            depth += 1
        elif depth:
            depth -= 1
        else:
            newline = text.rfind("\n", 0, place)
            before = text[newline + 1 : place] if newline >= 0 else context.line_prefix + text[:place]
            if not in_line and not before.strip():
                if len(before) == own_indent:
                    return place
            elif spare > 0:
                spare -= 1
            else:
                return place
    return None


def _closes_own(text: str, length: int) -> bool:
    """Whether the last ``length`` characters close a bracket or a string that the suggestion itself opened."""
    head, tail = text[: len(text) - length], text[len(text) - length :]
    last_line = head[head.rfind("\n") + 1 :]
    return any(is_open(quote, last_line) for quote in QUOTES & set(tail)) or any(
        head.count(OPENERS[closer]) > head.count(closer) for closer in tail if closer in OPENERS
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
