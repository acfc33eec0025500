"""Comments and strings by their marks: for languages without a grammar, and for what a grammar does not tell.

The scan reads a text once, from its start. It is less exact than a grammar: a regular expression with a quote in it
looks like a string. Strings that seldom span lines end with their line, so that such an error ends there, too.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

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


class Place(NamedTuple):
    """What a place in a text is enclosed in."""

    enclosure: Enclosure | None
    """None for code."""
    pattern: re.Pattern[str]
    """What matters next."""
    outer: Place | None = None
    depth: int = 0
    """How many more of its kind are open, as of nested comments."""

    @property
    def kind(self) -> str:
        """``COMMENT``, ``STRING``, or "" for code."""
        return self.enclosure.kind if self.enclosure else ""


def places(text: str, enclosures: tuple[Enclosure, ...], start: Place | None = None) -> Iterator[tuple[int, Place]]:
    """Yield each offset of ``text`` from which on it is enclosed in something else. It starts at 0 in ``start``."""
    place, offset = start or Place(None, _in_code(enclosures, "")), 0
    yield offset, place
    while found := place.pattern.search(text, offset):
        event, offset = str(found.lastgroup), found.end()
        place = _next(place, event, found, enclosures)
        yield offset, place


@lru_cache(8)
def place_at_end(text: str, enclosures: tuple[Enclosure, ...]) -> Place:
    """Return the place of the end of ``text``."""
    return deque(places(text, enclosures), maxlen=1)[0][1]


def _next(place: Place, event: str, found: re.Match[str], enclosures: tuple[Enclosure, ...]) -> Place:
    """Return the place behind the mark that was ``found``."""
    if event == "deeper":
        return place._replace(depth=place.depth + 1)
    if event == "closing" and place.depth:
        return place._replace(depth=place.depth - 1)
    if event in ("closing", "newline"):
        return place.outer or place
    if event == "code" and place.enclosure:
        return Place(None, _in_code(enclosures, place.enclosure.code[1]), place)
    if event.startswith("opening"):
        number = event.removeprefix("opening")
        enclosure = enclosures[int(number)]
        return Place(enclosure, _within(enclosure, found.groupdict().get(f"name{number}") or ""), place)
    return place  # what does not close it


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
