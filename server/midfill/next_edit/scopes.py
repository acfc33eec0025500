"""How far a rename reaches: a parameter's to the end of its function, a definition's or a member's to everywhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from midfill.code.languages import language_of
from midfill.code.syntax import Syntax
from midfill.next_edit.difference import line_changes
from midfill.next_edit.renames import Rename, renames_between, renames_in
from midfill.next_edit.types import Document, Hunk

_DECLARED = r"\b(?:class|const|def|enum|fn|fun|func|function|interface|struct|trait|type)\s+"
"""Words before the name of a definition. In a document that is not at hand, only its changed lines tell."""


@dataclass(frozen=True)
class ScopedRename:
    """A rename, and the lines of one document in which it holds."""

    rename: Rename
    first_line: int
    end_line: int

    def covers(self, line: int) -> bool:
        """Return whether the rename holds in a line."""
        return self.first_line <= line < self.end_line


@lru_cache(4)
def syntax_of(document: Document) -> Syntax:
    """Return a document's syntax tree. The places and the windows of one request ask for the same ones."""
    return Syntax(document.text, language_of(document.path, document.language))


def scoped_renames(document: Document, latest: Sequence[Hunk]) -> list[ScopedRename]:
    """Return the renames of the latest changes that hold in a document, and where."""
    kept = renames_in(latest)  # what was renamed further has its last name here
    found: list[ScopedRename] = []
    for hunk in latest:
        for change in line_changes(hunk.old, hunk.new):
            names = {rename.old for rename in renames_between("\n".join(change.old), "\n".join(change.new))}
            for rename in kept:
                if rename.old in names and (scope := _scope(rename, hunk, change.first, document)):
                    found.append(ScopedRename(rename, *scope))
    return found


def _scope(rename: Rename, hunk: Hunk, line: int, document: Document) -> tuple[int, int] | None:
    """Return the first line of a document in which a rename holds, and the line after the last one."""
    everywhere = (0, sys.maxsize)
    new = re.escape(rename.new)
    if re.search(rf"{_DECLARED}{new}\b|\.{new}\b", hunk.new):
        return everywhere
    if hunk.path != document.path:
        return None
    syntax = syntax_of(document)
    if any(definition.name == rename.new for definition in syntax.definitions()):
        return everywhere
    block = syntax.block_at(hunk.first_line + line)
    return (block.first_line, block.last_line + 1) if block and block.kind != "section" else everywhere
