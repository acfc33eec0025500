"""Comments and strings by their marks, for languages without a grammar, and where parsing would take too long.

The scan reads a text once, from its start. It is less exact than a grammar: a regular expression with a quote in it
looks like a string. Strings that seldom span lines end with their line, so that such an error ends there, too.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

COMMENT = "comment"
STRING = "string"
END_OF_LINE = r"\n"
"""The closing mark of a comment that ends with its line."""


@dataclass(frozen=True)
class Enclosure:
    """A kind of comment or string: the marks around it, as regular expressions."""

    kind: str
    """``COMMENT`` or ``STRING``; "" for what is neither but looks like it, such as a quote after a backslash."""
    opening: str
    closing: str
    """``{name}`` stands for what the group ``name`` of ``opening`` matched, as the end of a here-document."""
    skipped: str = ""
    """What does not close it although it looks like it, such as an escaped quote."""
    nests: bool = False
    on_one_line: bool = False
    """Whether the end of the line closes it in any case."""
    code: tuple[str, str] = ("", "")
    """The marks around code within a string; the second is a bracket."""


@dataclass
class _Frame:
    enclosure: Enclosure | None
    pattern: re.Pattern[str]
    depth: int = 0


def states(text: str, enclosures: tuple[Enclosure, ...]) -> Iterator[tuple[int, Enclosure | None]]:
    """Yield each offset of ``text`` where another enclosure, or code (None), begins. Code begins at 0."""
    stack = [_Frame(None, _in_code(enclosures, ""))]
    position = 0
    yield position, None
    while found := stack[-1].pattern.search(text, position):
        frame, event = stack[-1], str(found.lastgroup)
        position = found.end()
        if event == "deeper":
            frame.depth += 1
        elif event == "closing" and frame.depth:
            frame.depth -= 1
        elif event in ("closing", "newline"):
            stack.pop()
        elif event == "code" and frame.enclosure:
            stack.append(_Frame(None, _in_code(enclosures, frame.enclosure.code[1])))
        elif event.startswith("opening"):
            number = event.removeprefix("opening")
            enclosure = enclosures[int(number)]
            name = found.groupdict().get(f"name{number}") or ""
            stack.append(_Frame(enclosure, _within(enclosure, name)))
        yield position, stack[-1].enclosure


def enclosure_at_end(text: str, enclosures: tuple[Enclosure, ...]) -> Enclosure | None:
    """Return the comment or string in which ``text`` ends; None for code."""
    return deque(states(text, enclosures), maxlen=1)[0][1]


@lru_cache(256)
def _in_code(enclosures: tuple[Enclosure, ...], bracket: str) -> re.Pattern[str]:
    """Return the pattern of what matters in code; within a string, code ends with its ``bracket``."""
    openings = [
        f"(?P<opening{number}>{enclosure.opening.replace('(?P<name>', f'(?P<name{number}>')})"
        for number, enclosure in enumerate(enclosures)
    ]
    if bracket:
        opener = {"}": "{", ")": "("}[bracket]
        openings.append(rf"(?P<deeper>\{opener})|(?P<closing>\{bracket})")
    return re.compile("|".join(openings) or r"(?!)", re.MULTILINE | re.DOTALL)


@lru_cache(256)
def _within(enclosure: Enclosure, name: str) -> re.Pattern[str]:
    """Return the pattern of what matters within an enclosure."""
    events = {
        "skipped": enclosure.skipped,
        "closing": enclosure.closing.replace("{name}", re.escape(name)),
        "code": enclosure.code[0],
        "deeper": enclosure.opening if enclosure.nests else "",
        "newline": r"\n" if enclosure.on_one_line else "",
    }
    known = "|".join(f"(?P<{event}>{pattern})" for event, pattern in events.items() if pattern)
    return re.compile(known or "(?P<closing>)", re.MULTILINE | re.DOTALL)
