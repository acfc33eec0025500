"""Review: lines that the model would have written otherwise, each with what it would have written.

A small model that is asked for mistakes makes some up. Reading code that it is to write again without its mistakes, it
says of each token how likely it finds it: what it finds far likelier than what stands there is worth a look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Indel

from midfill.actions.action import Action, Task, in_code
from midfill.actions.checked_edit import Faulty, checked
from midfill.chat.conversation import Conversation, Doubt
from midfill.code.normalize import code_tokens
from midfill.common.cancel import CancelFlag
from midfill.prompt.chat_template import Message

_FINDING = re.compile(r"^- Line (?P<line>\d+): (?P<text>.+)$", re.MULTILINE)
_PART = 5_000
"""Characters of code, some 1,400 tokens, that are reviewed at a time."""
_LEAST_ODDS = 3.0
"""Of 16 right functions of HumanEval none has anything above that is worth saying, of 16 with a mistake 2 (0.5B)."""
_MOST_OF_A_PART = 4
"""Findings: more are not read."""
_LONGEST_LINE = 60
"""Tokens."""
_LEAST_ALIKE = 0.5
"""Of the line that is there and the other one: what differs more is another line, not a mistake in this one."""


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong."""

    line: int
    """From 0."""
    text: str


def findings(answer: str, task: Task) -> list[Finding]:
    """Return what a review found in the lines it was shown, in their order."""
    first, end = task.selection.first_line, task.selection.end_line
    found = [Finding(int(match["line"]) - 1, match["text"]) for match in _FINDING.finditer(answer)]
    return sorted((finding for finding in found if first <= finding.line < end), key=lambda finding: finding.line)


def _look(task: Task, messages: Sequence[Message], conversation: Conversation, cancel: CancelFlag) -> Iterator[str]:
    """Have the lines read again, and those finished otherwise that the model doubts most."""
    code, begin = task.selection.code, in_code(task)
    doubts = conversation.doubts(messages, code, cancel, begin=begin)
    strongest: dict[int, Doubt] = {}
    for doubt in sorted(doubts, key=lambda doubt: doubt.odds, reverse=True):
        if doubt.odds >= _LEAST_ODDS:
            strongest.setdefault(code.count("\n", 0, doubt.offset), doubt)
    lines = code.split("\n")
    for number, doubt in sorted(strongest.items())[:_MOST_OF_A_PART]:
        start = begin + code[: doubt.offset]
        answer = conversation.answer(
            messages,
            cancel,
            max_tokens=_LONGEST_LINE,
            begin=start + doubt.instead,
            enough=lambda text, start=start: "\n" in text[len(start) :],  # type: ignore[misc]
        )
        instead = answer.text[len(begin) :].split("\n")[number]
        if _is_worth_saying(lines[number], instead, number, task):
            line = task.selection.first_line + number + 1
            yield f"- Line {line}: `{lines[number].strip()}` may have to be `{instead.strip()}`\n"


def _is_worth_saying(line: str, instead: str, number: int, task: Task) -> bool:
    """Say whether another line would be other code, in the same place, that can be run."""
    selection = task.selection
    same = code_tokens(line.strip(), selection.language) == code_tokens(instead.strip(), selection.language)
    if same or Indel.normalized_similarity(line.strip(), instead.strip()) < _LEAST_ALIKE:
        return False
    at = selection.first_line + number
    try:
        checked(instead.strip(), selection.of_lines(at, at + 1), "signatures")
    except Faulty:
        return False
    return True


def _parts(task: Task) -> list[Task]:
    """Cut the lines where definitions begin, if possible, into parts that a small model can attend to."""
    selection = task.selection
    starts = {definition.first_line for definition in selection.syntax.definitions() if definition.kind != "constant"}
    cuts, size, best = [selection.first_line], 0, 0
    for number, line in enumerate(selection.lines, selection.first_line):
        if number in starts and size > _PART // 3:
            best = number
        if size + len(line) > _PART and number > cuts[-1]:
            cut = best if best > cuts[-1] else number
            size = sum(len(line) + 1 for line in selection.redacted_lines[cut:number])
            cuts.append(cut)
        size += len(line) + 1
    ends = [*cuts[1:], selection.end_line]
    return [replace(task, selection=selection.of_lines(*lines)) for lines in zip(cuts, ends, strict=True)]


def _prepare(task: Task) -> Task:
    selection = task.selection
    if selection.end_line - selection.first_line > 1:
        return task
    return replace(task, selection=selection.of_lines(0, len(selection.redacted_lines)))


REVIEW = Action(
    name="review",
    title="Review this file",
    kind="source.midfill.review",
    prepare=_prepare,
    parts=_parts,
    look=_look,
)
