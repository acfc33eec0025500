"""The tasks of the suite ``edits``, cut from real changes. The same files give the same tasks every time.

A file with two to six small hunks is edited from its top: the first hunks are made, and the next one is asked for. In
quiet windows of the same files nothing is left to change, and silence is right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from rapidfuzz.distance import Indel

from midfill.evals.edits.hunks import FileChange, applied, end_of, hunks_between, moved, shift_of
from midfill.next_edit.difference import LineChange
from midfill.next_edit.history import EditHistory
from midfill.next_edit.renames import tokens

REPEATED, KNOWN, NEW = "repeated", "known", "new"
"""Kinds of hunks. Repeated: each replacement of tokens was made before in this file. Known: all that is written stands
somewhere in the file or in what was changed. New: all others."""
CURSOR, ALIKE, ELSEWHERE = "cursor", "alike", "elsewhere"
"""Kinds of quiet windows. Cursor: around the latest change. Alike: around a line that resembles one that was changed.
Elsewhere: any place."""
QUIET_KINDS = (CURSOR, ALIKE, ELSEWHERE)
_MIN_HUNKS, _MAX_HUNKS = 2, 6
_MAX_HUNK_LINES = 8
"""Maximum number of lines of a hunk, before and after: a window has room for them in each prompt format."""
_MAX_FILE_LINES = 3_000
_MAX_LINE = 400
"""Maximum number of characters of a changed line."""
_PER_FILE = 2
"""Maximum number of tasks of each sort that one pair of versions of a file gives."""
_MARGIN = 22
"""Number of lines around a quiet place in which nothing is left to change; no prompt format has a larger window."""
_MIN_ALIKE = 0.5
"""Minimum similarity, 0 to 1, of the line of a window that is ``ALIKE``."""
_PAUSE = 10.0
"""Seconds between two hunks."""


@dataclass(frozen=True, kw_only=True)
class EditTask:
    """A file of which some hunks are made, and a place in it."""

    name: str
    project: str
    path: str
    before: str
    """The text before the first hunk."""
    hunks: tuple[LineChange, ...]
    """All hunks that make the next version, at their lines in ``before``."""
    made: int
    """How many of the hunks are made; 1 or more."""
    line: int
    """The line of the place, from 0, in the text as it is now."""
    kind: str
    is_quiet: bool
    """Whether silence is right; otherwise the next hunk is."""

    @property
    def text(self) -> str:
        """The text as it is now."""
        return applied(self.before, self.hunks[: self.made])

    @property
    def remaining(self) -> tuple[LineChange, ...]:
        """The hunks that are not made, at their lines in ``text``; the next one first."""
        return moved(self.hunks[self.made :], shift_of(self.hunks[: self.made]))

    @property
    def latest_line(self) -> int:
        """The last line of the latest hunk, in ``text``: there the cursor is."""
        latest = self.hunks[self.made - 1]
        first = latest.first + shift_of(self.hunks[: self.made - 1])
        return first + max(len(latest.new) - 1, 0)

    def history(self, made: int | None = None) -> EditHistory:
        """Return the history of an editor in which the first hunks were made one after the other; None for all."""
        now = 0.0
        history = EditHistory(lambda: now)
        for count in range(self.made if made is None else made):
            now += _PAUSE
            history.changed(
                self.path, applied(self.before, self.hunks[:count]), applied(self.before, self.hunks[: count + 1])
            )
        return history


@dataclass(frozen=True)
class TaskSet:
    """All tasks of some changes.

    The projects take turns. The tasks of a project are in a random order, which is the same every time.
    """

    hunks: tuple[EditTask, ...]
    quiet: tuple[EditTask, ...]


def cut(changes: Iterable[FileChange]) -> TaskSet:
    """Cut the tasks of all changes; a hunk that is the same as an earlier one gives no further task."""
    by_project: dict[str, tuple[list[EditTask], list[EditTask]]] = {}
    asked: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    quiet_places: set[tuple[str, str]] = set()
    for number, change in enumerate(changes):
        hunks = _small_hunks(change)
        if hunks is None:
            continue
        hunk_tasks, quiet_tasks = by_project.setdefault(change.project, ([], []))
        for task in _hunk_tasks(change, hunks):
            target = task.hunks[task.made]
            if (target.old, target.new) not in asked:
                asked.add((target.old, target.new))
                hunk_tasks.append(task)
        for task in _quiet_tasks(change, hunks, number):
            around = "\n".join(task.text.split("\n")[max(task.line - 4, 0) : task.line + 10])
            if (task.kind, around) not in quiet_places:
                quiet_places.add((task.kind, around))
                quiet_tasks.append(task)
    for project, groups in by_project.items():
        for group in groups:
            random.Random(project).shuffle(group)  # noqa: S311 (not used for security)
    return TaskSet(
        _in_turns([hunk_tasks for hunk_tasks, _ in by_project.values()]),
        _in_turns([quiet_tasks for _, quiet_tasks in by_project.values()]),
    )


def _in_turns(groups: Sequence[Sequence[EditTask]]) -> tuple[EditTask, ...]:
    return tuple(task for turn in zip_longest(*groups) for task in turn if task is not None)


def _small_hunks(change: FileChange) -> tuple[LineChange, ...] | None:
    """Return the hunks of a change that a person may have made by hand; None for another change."""
    if max(change.before.count("\n"), change.after.count("\n")) > _MAX_FILE_LINES:
        return None
    hunks = hunks_between(change.before, change.after)
    if not _MIN_HUNKS <= len(hunks) <= _MAX_HUNKS or not all(map(_is_small, hunks)):
        return None
    return tuple(hunks)


def _is_small(hunk: LineChange) -> bool:
    longest = max((len(line) for line in (*hunk.old, *hunk.new)), default=0)
    return max(len(hunk.old), len(hunk.new)) <= _MAX_HUNK_LINES and longest <= _MAX_LINE


def _hunk_tasks(change: FileChange, hunks: tuple[LineChange, ...]) -> Iterator[EditTask]:
    possible = [made for made in range(1, len(hunks)) if _says_something(hunks[made])]
    rng = random.Random(f"{change.project} {change.version} {change.path}")  # noqa: S311 (not used for security)
    for made in sorted(rng.sample(possible, min(_PER_FILE, len(possible)))):
        line = hunks[made].first + shift_of(hunks[:made])
        yield _task(change, hunks, made, line, _kind(change.before, hunks[:made], hunks[made]), is_quiet=False)


def _says_something(hunk: LineChange) -> bool:
    """Return whether a hunk changes more than white space and numbers, such as those of a version or a year."""
    old, new = ("".join("\n".join(lines).split()) for lines in (hunk.old, hunk.new))
    return re.sub(r"\d+", "0", old) != re.sub(r"\d+", "0", new)


def _kind(before: str, made: Sequence[LineChange], target: LineChange) -> str:
    earlier = {replacement for hunk in made for replacement in _replacements(hunk)}
    if _replacements(target) <= earlier:
        return REPEATED
    seen = {*tokens(before), *(token for hunk in made for line in hunk.new for token in tokens(line))}
    return KNOWN if set(tokens("\n".join(target.new))) <= seen else NEW


def _replacements(hunk: LineChange) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return which tokens a hunk replaces by which."""
    old, new = tokens("\n".join(hunk.old)), tokens("\n".join(hunk.new))
    return {
        (tuple(old[first:end]), tuple(new[start:stop]))
        for tag, first, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    }


def _quiet_tasks(change: FileChange, hunks: tuple[LineChange, ...], number: int) -> Iterator[EditTask]:
    """Yield quiet windows of different kinds; ``number`` decides which kinds are tried first."""
    rng = random.Random(f"{change.project} {change.version} {change.path}")  # noqa: S311 (not used for security)
    found = 0
    for turn in range(len(QUIET_KINDS)):
        kind = QUIET_KINDS[(number + turn) % len(QUIET_KINDS)]
        made = rng.randint(1, len(hunks))
        line = _quiet_line(applied(change.before, hunks[:made]), hunks, made, kind, rng)
        if line is not None and found < _PER_FILE:
            found += 1
            yield _task(change, hunks, made, line, kind, is_quiet=True)


def _quiet_line(text: str, hunks: Sequence[LineChange], made: int, kind: str, rng: random.Random) -> int | None:
    """Return a line of a kind around which nothing is left to change; None if there is none."""
    done = [moved([hunk], shift_of(hunks[:at]))[0] for at, hunk in enumerate(hunks[:made])]
    left = moved(hunks[made:], shift_of(hunks[:made]))
    lines = text.split("\n")
    if kind == CURSOR:
        places = [done[-1].first + max(len(done[-1].new) - 1, 0)]
    else:
        near = {line for hunk in done for line in range(hunk.first - _MARGIN, hunk.first + len(hunk.new) + _MARGIN)}
        places = [line for line, code in enumerate(lines) if line not in near and code.strip()]
    quiet = [
        line
        for line in places
        if line < len(lines) and all(line + _MARGIN < hunk.first or line - _MARGIN > end_of(hunk) for hunk in left)
    ]
    if kind == ALIKE:
        return _most_alike(lines, quiet, [line for hunk in done for line in hunk.old])
    return rng.choice(quiet) if quiet else None


def _most_alike(lines: Sequence[str], places: Sequence[int], changed: Sequence[str]) -> int | None:
    """Return the place whose line resembles a changed one most; None if none does."""
    examples = [found for line in changed if (found := tokens(line))]
    best, chosen = _MIN_ALIKE, None
    for place in places:
        own = tokens(lines[place])
        similarity = max((Indel.normalized_similarity(own, example) for example in examples), default=0.0)
        if own and similarity > best:
            best, chosen = similarity, place
    return chosen


def _task(
    change: FileChange, hunks: tuple[LineChange, ...], made: int, line: int, kind: str, *, is_quiet: bool
) -> EditTask:
    return EditTask(
        name=f"{change.project} {change.version} {change.path}:{line + 1}, {made} of {len(hunks)} made",
        project=change.project,
        path=change.path,
        before=change.before,
        hunks=hunks,
        made=made,
        line=line,
        kind=kind,
        is_quiet=is_quiet,
    )
