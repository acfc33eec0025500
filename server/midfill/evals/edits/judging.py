"""Judges a predicted edit by what the author did before and did next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from midfill.evals.edits.hunks import applied, possible_versions
from midfill.evals.edits.tasks import EditTask
from midfill.next_edit.difference import line_changes


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How good an edit is."""

    is_exact: bool
    """Whether it makes hunks that the author made next, and nothing else."""
    similarity: float
    """Edit similarity, from 0 to 1, of the lines that differ between the text, the edited text and the next version."""
    is_reversal: bool
    """Whether it takes back something that the author has just done."""
    lines: str
    """The changed lines."""


def judge(task: EditTask, edited: str, *, next_one: bool) -> Judgement:
    """Judge the text of a task with a predicted edit.

    Args:
        task: the task.
        edited: the whole text with the edit.
        next_one: whether the next hunk has to be among those that the edit makes; otherwise, any hunk that is left.
    """
    text, remaining = task.text, task.remaining
    exact = any(edited == version for version in possible_versions(text, remaining, with_first=next_one))
    changes = line_changes(text, edited)
    return Judgement(
        is_exact=exact,
        similarity=1.0 if exact else _similarity(edited, applied(text, remaining[:1]), text),
        is_reversal=any(_takes_back(task, change.old, change.new) for change in changes),
        lines="\n".join(line for change in changes for line in change.new),
    )


def _similarity(edited: str, expected: str, text: str) -> float:
    texts = [version.split("\n") for version in (edited, expected, text)]
    start = _common_lines(texts)
    end = _common_lines([lines[start:][::-1] for lines in texts])
    one, other = ("\n".join(lines[start : len(lines) - end]) for lines in texts[:2])
    return float(Indel.normalized_similarity(one, other))


def _common_lines(texts: Sequence[Sequence[str]]) -> int:
    """Return the number of first lines that all texts share."""
    count = 0
    for lines in zip(*texts, strict=False):
        if len(set(lines)) > 1:
            break
        count += 1
    return count


def _takes_back(task: EditTask, old: Sequence[str], new: Sequence[str]) -> bool:
    """Return whether a change makes lines of an earlier hunk what they were before it."""
    before, after = _written(old), _written(new)
    return before != after and any(
        before <= _written(change.new) and after <= _written(change.old)
        for hunk in task.hunks[: task.made]
        for change in line_changes("\n".join(hunk.old), "\n".join(hunk.new))
    )


def _written(lines: Sequence[str]) -> set[str]:
    """Return the lines that are not blank, without their indentation."""
    return {line.strip() for line in lines if line.strip()}
