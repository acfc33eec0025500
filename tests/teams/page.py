"""The commands and files of docs/teams.md: each block of code that has a title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "teams.md"
_BLOCK = re.compile(r'^```(?P<language>\w+) title="(?P<title>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
VALUES, SERVER, RUN, EXAMPLE = "values", "server", "run", "example"
"""Titles of blocks of commands: for the whole page; one that runs on; one that ends; one for the reader alone."""


@dataclass(frozen=True)
class Block:
    """One block of code."""

    language: str
    title: str
    """What kind of commands it has, or the name of the file that it is."""
    text: str


@dataclass(frozen=True)
class Section:
    """A section of the page, with its blocks in order."""

    title: str
    blocks: tuple[Block, ...]

    def titled(self, title: str) -> list[str]:
        """Return the texts of the blocks with a title."""
        return [block.text for block in self.blocks if block.title == title]

    @property
    def files(self) -> dict[str, str]:
        """The texts of the files that belong beside its commands, by name."""
        commands = (VALUES, SERVER, RUN, EXAMPLE)
        return {
            block.title: block.text for block in self.blocks if block.title not in commands and "/" not in block.title
        }


def sections(page: str) -> list[Section]:
    """Return the sections of a page, the text before the first one included, whose title is ""."""
    parts = ["", *_SECTION.split(page)] if not page.startswith("## ") else _SECTION.split(page)
    return [Section(title, _blocks(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)]


def _blocks(text: str) -> tuple[Block, ...]:
    return tuple(Block(found["language"], found["title"], found["text"]) for found in _BLOCK.finditer(text))
