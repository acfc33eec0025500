"""What the latest changes are examples of: some lines that became others, and the same made to lines like them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from midfill.next_edit.analogy import is_like, similarity_of, transferred
from midfill.next_edit.difference import line_changes
from midfill.next_edit.renames import renames_between, tokens
from midfill.next_edit.rewrites import Rewrite, rewrite_between
from midfill.next_edit.types import Hunk

LATEST = 6
"""Number of latest changes that are made elsewhere too."""
_MAX_EXAMPLES = 16
"""Maximum number of examples. A change of many lines has more, which are much alike."""


@dataclass(frozen=True)
class Example:
    """Lines before a change and after it, from the indentation of the first one on."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    def fits(self, lines: Sequence[str]) -> bool:
        """Return whether as many lines as ``old`` has have its shape, or the part of it that was replaced."""
        text = _text(lines)
        return is_like(text, self._old_text, self._new_text) or self._rewritten(text) != text

    def made_in(self, lines: Sequence[str]) -> list[str] | None:
        """Return what as many lines as ``old`` has would become; None if the change does not fit them."""
        text, old, new = _text(lines), self._old_text, self._new_text
        changed = transferred(text, old, new) if is_like(text, old, new) else None
        if changed is None:
            changed = self._rewritten(text)
        if changed == text or _renames_only(text, changed):
            return None
        return [f"{_indentation(lines[0])}{line}" if line else "" for line in changed.split("\n")]

    def _rewritten(self, text: str) -> str:
        return text if self._rewrite is None else self._rewrite.apply(text)

    @cached_property
    def _old_text(self) -> str:
        return "\n".join(self.old)

    @cached_property
    def _new_text(self) -> str:
        return "\n".join(self.new)

    @cached_property
    def _rewrite(self) -> Rewrite | None:
        """What of a line was replaced, if it is one line."""
        return rewrite_between(self.old[0], self.new[0]) if len(self.old) == len(self.new) == 1 else None


def examples(latest: Sequence[Hunk]) -> list[Example]:
    """Return what changes are examples of: the latest one first, and several lines before each of their own."""
    found = dict.fromkeys(example for hunk in reversed(latest) for example in _of_hunk(hunk))
    return list(islice(found, _MAX_EXAMPLES))


def _of_hunk(hunk: Hunk) -> Iterator[Example]:
    """Yield the lines that became a different number of lines, and then those that became one other line each."""
    changes = [(_trimmed(change.old), _trimmed(change.new)) for change in line_changes(hunk.old, hunk.new)]
    yield from (_example(old, new) for old, new in changes if old and new and len(old) != len(new))
    yield from (_example([before], [after]) for old, new in changes for before, after in _pairs(old, new))


def _example(old: Sequence[str], new: Sequence[str]) -> Example:
    column = len(_indentation(old[0]))
    return Example(tuple(_from_column(old, column)), tuple(_from_column(new, column)))


def _trimmed(lines: Sequence[str]) -> Sequence[str]:
    """Return lines without the blank ones at either end."""
    written = [number for number, line in enumerate(lines) if line.strip()]
    return lines[written[0] : written[-1] + 1] if written else ()


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines before a change with the lines that they became, as far as that can be told."""
    if len(old) == len(new):
        yield from ((before, after) for before, after in zip(old, new, strict=True) if before.strip() and after.strip())
        return
    start = 0
    for line in old:
        found = next((at for at in range(start, len(new)) if similarity_of(new[at], line)), None)
        if found is not None:
            yield line, new[found]
            start = found + 1


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _from_column(lines: Sequence[str], column: int) -> Iterator[str]:
    """Yield lines without their first ``column`` characters of white space; fewer if a line has fewer."""
    yield from (line[min(column, len(_indentation(line))) :] for line in lines)


def _text(lines: Sequence[str]) -> str:
    """Return lines from the indentation of the first one on."""
    return "\n".join(_from_column(lines, len(_indentation(lines[0]))))


def _renames_only(text: str, other: str) -> bool:
    """Return whether one text differs from another only by names: then scopes decide, and not the shape."""
    return bool(renames_between(text, other)) and len(tokens(text)) == len(tokens(other))
