"""Drops: they look at the whole suggestion, and return why it should not be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from midfill.code.languages import Language, language_of
from midfill.postprocess.grammar_fit import fits
from midfill.postprocess.lines import alike, has_word, in_series, lines_above, lines_below, lines_upwards
from midfill.postprocess.loops import is_loop
from midfill.prompt.context import Context

Drop = Callable[[str, Context], bool]

_MIN_CHARACTERS = 4
"""Minimum number of characters of an automatic suggestion, and of a first line that is compared (as in Tabby)."""
_MAX_LINES_COMPARED = 3
"""Maximum number of lines of which nearly equal ones count as repeated."""
_MAX_LINES_SEARCHED = 20
"""Number of lines below the cursor in which more lines may begin; further away, a page may repeat itself."""
_MAX_REPEAT_DISTANCE = 0.05
"""Maximum normalised Levenshtein distance between lines that count as repeated."""
_MIN_ECHO_CHARACTERS = 8
"""Minimum length of a suggestion that is compared with the text before the cursor: a shorter one matches by chance."""
_LETTER = re.compile(r"[^\W\d_]")
_EMPTY_COMMENT = re.compile(
    r"(?:todo|fixme|xxx|hack|note)?\W*"
    r"(?:(?:(?:add|put|write|insert|enter|type|implement)\s+)?(?:your|the|this|some|more|other)?\s*"
    r"(?:own\s+)?(?:code|implementation|logic|stuff|function|method|here)\s*(?:goes|comes)?\s*(?:here|below)?"
    r"|(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the|your)\s+\w+"
    r"|(?:\w+\s+)?(?:existing|remaining|previous)\s+(?:code|logic|implementation|method|function|import)s?|same\s+as\s+(?:above|before)|do\s+(?:something|stuff|nothing)"
    r"|implement\s+(?:me|it|this)|continued?|etc)?"
    r"\W*",
    re.IGNORECASE,
)
_MAX_EMPTY_COMMENT_CHARACTERS = 200
"""Maximum number of characters of a placeholder such as ``your code here``."""
_RULE = re.compile(r"[-=*#~_/]{3}")
"""A line of signs in a comment, which separates parts of a file."""
_FILE_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+)*\.\w{1,5}")


def drop_blank(text: str, _context: Context) -> bool:
    """Drop a suggestion that is empty or only white space."""
    return not text.strip()


def drop_suffix_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion that repeats the lines below the cursor.

    The cursor's line is compared as it would be with the suggestion. Up to three nearly equal lines count as equal,
    except in a series of similar lines. More lines are dropped if they stand below, once.
    """
    whole = (context.line_prefix + text + context.line_suffix).rstrip()
    lines = [line.rstrip() for line in whole.split("\n") if line.strip()]
    if len(lines) > _MAX_LINES_COMPARED:
        return has_word(whole) and _stand_below(lines, context)
    below = "\n".join(lines_below(context, len(lines)))
    if len(below.strip()) <= 3:
        return False
    return whole == below or (has_word(below) and alike(whole, below, _MAX_REPEAT_DISTANCE) and not in_series(context))


def drop_above_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion whose first line repeats the line above, or whose lines repeat as many lines above.

    Lines that the document already repeats above the cursor may be repeated once more.
    """
    whole = context.line_prefix + text + context.line_suffix
    lines = [line.rstrip() for line in whole.split("\n") if line.strip()]
    if len(lines[0].strip()) < _MIN_CHARACTERS or not has_word(lines[0]):
        return False
    return any(_repeats_above(lines[:count], context) for count in (1, len(lines)))


def drop_repetition(text: str, context: Context) -> bool:
    """Drop a suggestion that repeats itself, or the text right before the cursor.

    It repeats itself when it is a loop, or when its second half has the same lines as its first half. It repeats the
    text before the cursor when it was accepted a moment ago; a text that stands there twice may be suggested a third
    time.
    """
    if len(text.strip()) >= _MIN_ECHO_CHARACTERS and _LETTER.search(text) and context.prefix.endswith(text):
        return not context.prefix.endswith(2 * text)
    if is_loop(text):
        return True
    lines = [line.rstrip() for line in text.split("\n")]
    half, odd = divmod(len(lines), 2)
    return half > 1 and not odd and lines[:half] == lines[half:]


def drop_empty_comment(text: str, context: Context, language: Language) -> bool:
    """Drop comments without any word, and placeholders such as ``# your code here``."""
    lines = [line.strip() for line in (context.line_prefix + text).split("\n") if line.strip()]
    return all(_is_empty_comment(_comment(line, language)) for line in lines)


def drop_file_path(text: str, context: Context, language: Language) -> bool:
    """Drop a line that is only the path of a file: in training data such a line often begins another file."""
    line = (context.line_prefix + text).strip()
    comment = _comment(line, language)
    if comment is not None:
        return _is_path(comment.strip())
    names_files = language.grammar in ("", "bash")
    return bool(language.line_comment) and not names_files and _is_path(line) and "/" in line and _is_source(line)


def drop_too_short(text: str, _context: Context) -> bool:
    """Drop fewer than four characters: typing them is faster than reading them."""
    return len(text.strip()) < _MIN_CHARACTERS


DROPS: dict[str, Drop] = {
    "blank": drop_blank,
    "suffix-repeat": drop_suffix_repeat,
    "above-repeat": drop_above_repeat,
    "repetition": drop_repetition,
}
"""Reason code -> drop, for the drops that need only the text and the document."""


def reason_to_drop(
    text: str,
    context: Context,
    language: Language,
    *,
    automatic: bool = False,
    placeholders: Collection[str] = (),
    replaces: int = 0,
    cut_short: bool = False,
) -> str:
    """Return the reason code of the first drop that applies; "" to show the suggestion."""
    for reason, drop in DROPS.items():
        if drop(text, context):
            return reason
    if any(placeholder in text for placeholder in placeholders):
        return "placeholder"
    if automatic and drop_too_short(text, context):
        return "too-short"
    if drop_empty_comment(text, context, language):
        return "empty-comment"
    if drop_file_path(text, context, language):
        return "path"
    return "" if fits(text, context, language, replaces=replaces, cut_short=cut_short) else "syntax"


def _stand_below(lines: list[str], context: Context) -> bool:
    """Return whether the first of the lines stand right below the cursor's line, or all of them stand further below.

    Lines that the document repeats may be repeated once more. The last of the lines may be unfinished.
    """
    below = "\n".join(["", *lines_below(context, _MAX_LINES_SEARCHED + len(lines)), ""])
    head = "\n".join(["", *lines[: _MAX_LINES_COMPARED + 1]])
    is_near = below.partition(head)[0].count("\n") < _MAX_LINES_COMPARED
    if is_near:
        return below.count(head) == 1
    block = "\n".join(["", *lines])
    return below.count(block) == 1 and block not in "\n".join(["", *reversed(list(lines_upwards(context)))])


def _repeats_above(lines: list[str], context: Context) -> bool:
    above = lines_above(context, 2 * len(lines))
    return above[-len(lines) :] == lines != above[: -len(lines)]


def _comment(line: str, language: Language) -> str | None:
    """Return the content of a line that is a comment; None for another line."""
    mark = language.line_comment
    if mark and line.startswith(mark):
        return line.removeprefix(mark)
    return line[2:-2] if mark == "//" and re.fullmatch(r"/\*.*\*/", line) else None


def _is_empty_comment(comment: str | None) -> bool:
    if comment is None or len(comment) > _MAX_EMPTY_COMMENT_CHARACTERS or _RULE.search(comment):
        return False
    return bool(_EMPTY_COMMENT.fullmatch(comment.strip()))


def _is_path(text: str) -> bool:
    return bool(_FILE_PATH.fullmatch(text)) and ("/" in text or _is_source(text))


def _is_source(path: str) -> bool:
    return bool(language_of(path).grammar)
