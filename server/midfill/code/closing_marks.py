"""Marks other than brackets and quotes that close something: comments, tags, template tags, emphasis, words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache


@dataclass(frozen=True)
class Pair:
    """An opening mark and its closing mark, as regular expressions.

    ``closing`` may have a group ``name``, such as the name of an element; ``{name}`` stands for it in ``opening``. It
    may begin with a semicolon, which counts only where the document has it, too.
    """

    closing: str
    opening: str
    nests: bool = False
    """Whether what the marks enclose may contain its like, as an element of HTML may."""
    is_on_one_line: bool = False
    """Whether the closing mark means something else where the cursor's line does not open it."""

    def as_in(self, found: re.Match[str]) -> Pair:
        """Return the pair with the name and the semicolon that were ``found``."""
        name = re.escape(found.groupdict().get("name") or "")
        closing = re.sub(r"\(\?P<name>[^()]*\)", lambda _: name, self.closing)
        closing = closing.removeprefix("" if found[0].startswith(";") else _SEMICOLON)
        return replace(self, closing=closing, opening=self.opening.replace("{name}", name))

    def tokens(self, text: str) -> Iterator[tuple[int, bool]]:
        """Yield the offset of each mark in ``text``, and whether it opens."""
        for found in _compiled(f"(?P<closing>{self.closing})|(?P<opening>{self.opening})").finditer(text):
            yield found.start(), found.lastgroup == "opening"


@dataclass(frozen=True)
class Toggle:
    r"""A mark that opens and closes, such as ``**`` in Markdown, which opens before a word and closes after one."""

    closing: str
    opening: str
    is_on_one_line: bool = True
    """Whether the mark means something else where the cursor's line does not open it."""

    def is_open(self, text: str) -> bool:
        """Return whether what the mark opens is still open at the end of ``text``."""
        is_open = False
        for found in _compiled(f"(?P<closing>{self.closing})|{self.opening}").finditer(text):
            closes = found["closing"] is not None
            is_open = not closes if is_open else bool(_compiled(self.opening).match(text, found.start()))
        return is_open

    def first_in(self, text: str) -> int | None:
        """Return the offset of the first closing mark in ``text``; None if it has none."""
        found = _compiled(self.closing).search(text)
        return found.start() if found else None


def closing_mark(text: str) -> Pair | Toggle | None:
    """Return the closing mark that ``text`` starts with; None if it starts with none."""
    for mark in _MARKS:
        # Some marks are known by the character behind them, also at the end of a document.
        if found := _compiled(mark.closing).match(f"{text}\n"):
            return mark.as_in(found) if isinstance(mark, Pair) else mark
    return None


def unopened(tokens: Iterator[tuple[int, bool]]) -> Iterator[int]:
    """Yield the offsets of the closing tokens that no token before them opens."""
    depth = 0
    for offset, opens in tokens:
        if opens:
            depth += 1
        elif depth:
            depth -= 1
        else:
            yield offset


_BLOCK_WORD = (
    r"(?i:\b(?:for|while|until|if|unless|case|cond|with|def\w*)\b[^\n;]{0,60}?\bdo\b"
    r"|\b(?:for|while|until|if|unless|case|cond|def\w*|do|fn|function|class|module|begin)\b)"
)
"""What ``end`` closes in Lua, Ruby, Elixir, SQL and Pascal. A loop or a condition with ``do`` has one ``end``."""
_NAME = r"(?P<name>[\w:.-]+)"
_NAMED_BLOCK = r"(?P<name>if|for|foreach|while|switch|case|function|class|module|sub|region)"
_SEMICOLON = r"(?:;{1,2}[ \t]{0,4})?"
_LINE_START = r"(?:\A|(?<=\n))"
_MARKS: tuple[Pair | Toggle, ...] = (
    Pair(r"\*/", r"/\*"),
    Pair(r"-->", r"<!--"),
    Pair(rf"{_SEMICOLON}\?>", r"<\?"),
    Pair(rf"{_SEMICOLON}-?%>", r"<%"),
    Pair(r"-?%\}", r"\{%"),
    Pair(r"--\}\}", r"\{\{!--"),
    Pair(r"#\}", r"\{#"),
    Pair(r"\*\)", r"\(\*"),
    Pair(r"-\}", r"\{-"),
    Pair(r"\|#", r"#\|"),
    Pair(r"=#", r"#="),
    Pair(r"#>", r"<#"),
    Pair(r"\\\)", r"\\\("),
    Pair(r"\\\]", r"\\\["),
    Pair(rf"</{_NAME}\s*>", r"<{name}\b(?:[^<>/]|/(?!>))*>", nests=True),
    Pair(rf"\{{%-?\s*end{_NAME}", r"\{%-?\s*{name}\b", nests=True),
    Pair(rf"\{{\{{/{_NAME}", r"\{\{#{name}\b", nests=True),
    Pair(rf"\\end\{{{_NAME}\}}", r"\\begin\{{name}\}", nests=True),
    Pair(r"\\right(?=\W)", r"\\left(?=\W)", nests=True),
    Pair(rf"#\s*end{_NAMED_BLOCK}(?=\W)", r"#\s*{name}(?:n?def)?(?=\W)", nests=True),
    Pair(r"/>", r"<(?=\w)", nests=True, is_on_one_line=True),
    Pair(r"(?<![-=/])>(?=[^=])", r"(?<!<)<(?![\s=<-])", nests=True, is_on_one_line=True),
    Pair(rf"(?i:\bend{_NAMED_BLOCK})(?=\W)", r"(?i:\b{name}(?=\W))", nests=True, is_on_one_line=True),
    Pair(r"(?i:\bend)(?=\W)", _BLOCK_WORD, nests=True, is_on_one_line=True),
    Pair(rf"{_SEMICOLON}\bfi(?=\W)", r"\bif\b", nests=True, is_on_one_line=True),
    Pair(rf"{_SEMICOLON}\bdone(?=\W)", r"\b(?:for|while|until|select)\b", nests=True, is_on_one_line=True),
    Pair(rf"{_SEMICOLON}\besac(?=\W)", r"\bcase\b", nests=True, is_on_one_line=True),
    Toggle(r'(?<!\\)"""', r'(?<!\\)"""', is_on_one_line=False),
    Toggle(r"(?<!\\)'''", r"(?<!\\)'''", is_on_one_line=False),
    Toggle(r"```", r"```", is_on_one_line=False),
    Toggle(rf"{_LINE_START}~~~", rf"{_LINE_START}~~~", is_on_one_line=False),
    Toggle(rf"{_LINE_START}---(?=\n)", rf"{_LINE_START}---(?=\n)", is_on_one_line=False),
    Toggle(r"\$\$", r"\$\$", is_on_one_line=False),
    Toggle(r"(?<!\\)\$(?=[^\w({$])", r"(?<!\\)\$"),
    Toggle(r"(?<!\s)\*\*(?=[^\w])", r"(?<![\w*])\*\*(?!\s)"),
    Toggle(r"(?<!\s)__(?=\W)", r"(?<!\w)__(?!\s)"),
    Toggle(r"(?<!\s)~~(?=[^\w])", r"(?<!\w)~~(?!\s)"),
    Toggle(r"(?<![\s*])\*(?=[^\w*])", r"(?<![\w*])\*(?![\s*])"),
    Toggle(r"(?<![\s\w])_(?=\W)|(?<=[^\W_])_(?=\W)", r"(?<!\w)_(?![\s_])"),
    Toggle(r"(?<!\|)\|(?=[^|])", r"(?<!\|)\|"),
)
"""A longer mark stands before those that it begins with."""


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
