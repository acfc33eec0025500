"""Drops: they look at the whole suggestion and say why it is not worth showing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from midfill.code.languages import PLAIN_TEXT, Language, language_of
from midfill.postprocess.lines import alike, has_word, in_series, lines_above, lines_below
from midfill.postprocess.syntax import fits
from midfill.prompt.context import Context

Drop = Callable[[str, Context], bool]

_SHORTEST = 4
"""Characters worth an interruption (as Tabby has it)."""
_SAME = 0.05
"""Lines no farther apart (Levenshtein, by the longer one's length) are the same ones."""
_SERIES = 0.3
_MOST_SEARCHED = 2_000
"""Characters that repetitions are looked for in."""
_TOLD = 8
"""Characters that are not by chance the same as those before the cursor."""
_STUTTER = re.compile(r"(?P<short>.{3,9}?)(?P=short){4}|(?P<long>.{10,200}?)(?P=long){2}", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_SAYS_NOTHING = re.compile(
    r"(?:todo|fixme|xxx|hack|note)?\W*"
    r"(?:(?:(?:add|put|write|insert|enter|type|implement)\s+)?(?:your|the|this|some|more|other)?\s*"
    r"(?:own\s+)?(?:code|implementation|logic|stuff|function|method|here)\s*(?:goes|comes)?\s*(?:here|below)?"
    r"|(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the|your)\s+\w+"
    r"|(?:\w+\s+)?(?:existing|remaining|previous)\s+(?:code|logic|implementation|method|function|import)s?|same\s+as\s+(?:above|before)|do\s+(?:something|stuff|nothing)"
    r"|implement\s+(?:me|it|this)|continued?|etc)?"
    r"\W*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-=*#~_/]{3}")
"""A comment that is there to be seen."""
_FILE_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+)*\.\w{1,5}")


def drop_blank(text: str, _context: Context) -> bool:
    """Drop nothing but white space."""
    return not text.strip()


def drop_suffix_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion that makes the cursor's line, with up to two more, the same as what follows already.

    Nearly the same is the same, unless it is one of a series of like lines.
    """
    ours = (context.line_prefix + text + context.line_suffix).rstrip()
    count = sum(1 for line in ours.split("\n") if line.strip())
    theirs = "\n".join(lines_below(context, count)) if count <= 3 else ""
    if len(theirs.strip()) <= 3:
        return False
    return ours == theirs or (has_word(theirs) and alike(ours, theirs, _SAME) and not in_series(context, _SERIES))


def drop_above_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion that writes the line above once more, or as many lines as it has from above the cursor.

    What stands above twice already may stand there a third time.
    """
    whole = context.line_prefix + text + context.line_suffix
    ours = [line.rstrip() for line in whole.split("\n") if line.strip()]
    if len(ours[0].strip()) < _SHORTEST or not has_word(ours[0]):
        return False
    return any(_repeats_above(ours[:count], context) for count in (1, len(ours)))


def drop_repetition(text: str, context: Context) -> bool:
    """Drop what goes round in circles: 3 characters or more five times, 10 or more three times, lines of code twice.

    And what says just what ends at the cursor, as a suggestion does that was accepted a moment ago; what stands there
    twice already may come a third time.
    """
    if len(text.strip()) >= _TOLD and _LETTER.search(text) and context.prefix.endswith(text):
        return not context.prefix.endswith(2 * text)
    text = text[:_MOST_SEARCHED]
    if any(_LETTER.search(found[0]) for found in _STUTTER.finditer(text)):
        return True
    lines = [line.rstrip() for line in text.split("\n")]
    half, odd = divmod(len(lines), 2)
    return half > 1 and not odd and lines[:half] == lines[half:]


def drop_empty_comment(text: str, context: Context, language: Language) -> bool:
    """Drop comments that say nothing: no word at all, or that code should stand there."""
    lines = [line.strip() for line in (context.line_prefix + text).split("\n") if line.strip()]
    return all(_says_nothing(_comment(line, language)) for line in lines)


def drop_file_path(text: str, context: Context, language: Language) -> bool:
    """Drop a line that only names a file: models begin files so that they have learnt."""
    line = (context.line_prefix + text).strip()
    comment = _comment(line, language)
    if comment is not None:
        return _is_path(comment.strip())
    runs_files = language.grammar == "bash"
    return bool(language.line_comment) and not runs_files and _is_path(line) and "/" in line and _is_source(line)


def drop_too_short(text: str, _context: Context) -> bool:
    """Drop less than four characters, for which nobody should have to stop typing."""
    return len(text.strip()) < _SHORTEST


DROPS: dict[str, Drop] = {
    "blank": drop_blank,
    "suffix-repeat": drop_suffix_repeat,
    "above-repeat": drop_above_repeat,
    "repetition": drop_repetition,
}
"""Those that need to know nothing but the text and the document."""


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
    """Return the code of the first drop that applies, or "" to show the suggestion."""
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


def _repeats_above(lines: list[str], context: Context) -> bool:
    above = lines_above(context, 2 * len(lines))
    return above[-len(lines) :] == lines != above[: -len(lines)]


def _comment(line: str, language: Language) -> str | None:
    """Return what a line that is a whole comment says, None for another line."""
    mark = language.line_comment
    if mark and line.startswith(mark):
        return line.removeprefix(mark)
    return line[2:-2] if mark == "//" and re.fullmatch(r"/\*.*\*/", line) else None


def _says_nothing(comment: str | None) -> bool:
    return comment is not None and not _RULE.search(comment) and bool(_SAYS_NOTHING.fullmatch(comment.strip()))


def _is_path(text: str) -> bool:
    return bool(_FILE_PATH.fullmatch(text)) and ("/" in text or _is_source(text))


def _is_source(path: str) -> bool:
    return language_of(path) is not PLAIN_TEXT
