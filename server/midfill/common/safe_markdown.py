r"""Markdown that nobody trusts, such as a model's answer, made harmless before an editor shows it.

An answer may repeat what a stranger wrote into the code: an image, which an editor loads and so tells its owner who
reads it; a link that runs a command of the editor; HTML. Outside code, the characters that would begin one of these get
a backslash, so they are shown as they are. Code stays as it is.

What counts as code must count as code for every renderer, and they differ. So only two forms do: a span of backticks
within one line, without "|", which would divide a table's cells; and a fenced block, whose fences and indentation are
written anew. Any other backtick gets a backslash, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Escape codes of terminals begin with one of these."""
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?:(?P<ticks>`{3,})(?P<info>[^`\n]*)|(?P<waves>~{3,})(?P<words>[^\n]*))\n?")
_LANGUAGE = re.compile(r"[\w+#.-]*")
_MAX_INDENT = 3
"""Maximum indentation of a fence, in any list."""
_SPAN = re.compile(r"(?<!`)(?P<ticks>`+)(?!`)[^\n|]*?(?<!`)(?P=ticks)(?!`)")
_PROSE = re.compile(
    rf"(?P<kept>[^\n`\\$<\]]+|\\[^\n]|{_SPAN.pattern})|(?P<escaped>`+|\$|<(?=[A-Za-z/!?]))|(?P<link>\](?=[(:]))|(?P<any>.|\n)"
)
"""A unit of prose: what is kept; what gets a backslash before each character; the middle of a link; any character."""


def safe_markdown(text: str) -> str:
    """Return a whole text without images, links with a text of their own, and HTML."""
    pieces: list[str] = []
    stream = SafeMarkdown(pieces.append)
    stream.write(text)
    stream.end()
    return "".join(pieces)


class SafeMarkdown:
    """Makes a text harmless as it comes. A character is held back only while the ones after it decide what it is."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """Call ``show`` with each piece that is harmless."""
        self._show = show
        self._held = ""
        self._starts_line = True
        self._fence = ""
        """What ends the block that the text is in, such as ```` ``` ````; "" outside blocks."""
        self._indent = ""
        self._stripped = 0
        """Indentation of the block's lines as they are shown, and number of characters that are removed for it."""

    def write(self, piece: str) -> None:
        """Take the next piece."""
        self._held += _CONTROLS.sub("", piece.replace("\r\n", "\n").replace("\r", "\n"))
        self._release(is_end=False)

    def end(self) -> None:
        """Show what was held back, and end a block that is not ended: another text may be put below this one."""
        self._release(is_end=True)
        if self._fence:
            self._show(f"{'' if self._starts_line else chr(10)}{self._indent}{self._fence}")
            self._fence = ""

    def _release(self, *, is_end: bool) -> None:
        shown = []
        while self._held and (found := self._next(is_end=is_end)):
            length, safe = found
            self._starts_line = self._held[length - 1] == "\n"
            self._held = self._held[length:]
            shown.append(safe)
        if text := "".join(shown):
            self._show(text)

    def _next(self, *, is_end: bool) -> tuple[int, str] | None:
        """Return how many characters the next unit has, and what is shown for it; None if more must come first."""
        end_of_line = self._held.find("\n") + 1
        is_whole_line = end_of_line > 0 or is_end
        if self._fence:
            return self._in_block(self._held[: end_of_line or None]) if is_whole_line else None
        if self._starts_line and self._held.lstrip(" \t")[:1] in ("", "`", "~"):
            if not is_whole_line:
                return None
            if block := self._begin_block(self._held[: end_of_line or None]):
                return block
        return self._in_prose(is_whole_line=is_whole_line, is_end=is_end)

    def _begin_block(self, line: str) -> tuple[int, str] | None:
        """Begin a block if a line is a fence. Of its words, only the first is shown, which names the language."""
        found = _FENCE.fullmatch(line)
        if found is None:
            return None
        self._fence = found["ticks"] or found["waves"]
        self._stripped = len(found["indent"])
        self._indent = " " * min(self._stripped, _MAX_INDENT)
        words = (found["info"] or found["words"] or "").split()
        language = _LANGUAGE.match(words[0]) if words else None
        end = "\n" if line.endswith("\n") else ""
        return len(line), f"{self._indent}{self._fence}{language[0] if language else ''}{end}"

    def _in_block(self, line: str) -> tuple[int, str]:
        """Show a line of a block with at least the fence's indentation: a list, and the block in it, would end else."""
        indent = len(line) - len(line.lstrip(" \t"))
        rest = line[min(indent, self._stripped) :]
        if re.match(rf" {{0,3}}{re.escape(self._fence)}[`~ \t]*\n?\Z", rest):
            rest, self._fence = self._fence + rest[len(rest.rstrip("\n")) :], ""
        return len(line), self._indent + rest if rest.strip("\n") else rest

    def _in_prose(self, *, is_whole_line: bool, is_end: bool) -> tuple[int, str] | None:
        held = self._held
        is_open = held[0] in "\\]<" and len(held) == 1 and not is_end
        if is_open or (held[0] == "`" and not is_whole_line and not self._has_span()):
            return None
        unit = _PROSE.match(held)
        assert unit is not None  # noqa: S101 -- any character matches
        shown = unit[0]
        if unit["escaped"]:
            shown = "".join(f"\\{character}" for character in shown)
        elif unit["link"]:
            shown = "]\\"
        return unit.end(), shown

    def _has_span(self) -> bool:
        """Return whether the text that is there has a whole span, so that no backtick can still change that."""
        span = _SPAN.match(self._held)
        return span is not None and span.end() < len(self._held)
