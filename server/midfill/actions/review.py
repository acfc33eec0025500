"""Review: the lines that the model would have written differently, each with what it would have written.

A small model that is asked for mistakes makes some up. So it is asked to write the code again without its mistakes, and
then reads the code as if that were its own answer. Its probabilities tell how likely it finds each token. A line in
which another token is far likelier than the one that is there may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rapidfuzz.distance import Indel

from midfill.actions.action import Action, ActionTask, Place, in_code
from midfill.actions.checked_edit import checked
from midfill.actions.findings import Finding
from midfill.actions.reasons import Faulty
from midfill.chat.conversation import Conversation, Doubt
from midfill.code.normalize import code_tokens
from midfill.common.cancel import CancelFlag
from midfill.prompt.chat_template import Message

_PART_CHARACTERS = 5_000
"""Maximum number of characters, some 1,400 tokens, that are reviewed at once."""
_MIN_ODDS = 3.0
"""How many times likelier another token must be.

Above it there is no finding in 16 correct functions of HumanEval, and 2 in 16 with a mistake (0.5B).
"""
_MAX_FINDINGS_OF_A_PART = 4
"""Maximum number of findings in one part. Nobody reads more."""
_MAX_LINE_TOKENS = 60
_MIN_SIMILARITY = 0.5
"""Minimum similarity of a line and the one that the model would have written, from 0 to 1.

A line that differs more is not a correction of this line.
"""


def _find(
    task: ActionTask, messages: Sequence[Message], conversation: Conversation, cancel: CancelFlag
) -> Iterator[Finding]:
    """Let the model read the lines, and then finish those that it doubts most."""
    code, begin = task.selection.code, in_code(task)
    doubts = conversation.doubts(messages, code, cancel, begin=begin)
    strongest: dict[int, Doubt] = {}
    for doubt in sorted(doubts, key=lambda doubt: doubt.odds, reverse=True):
        if doubt.odds >= _MIN_ODDS:
            strongest.setdefault(code.count("\n", 0, doubt.offset), doubt)
    lines = code.split("\n")
    for number, doubt in sorted(strongest.items())[:_MAX_FINDINGS_OF_A_PART]:
        start = begin + code[: doubt.offset]
        answer = conversation.answer(
            messages,
            cancel,
            max_tokens=_MAX_LINE_TOKENS,
            begin=start + doubt.instead,
            enough=lambda text, start=start: "\n" in text[len(start) :],  # type: ignore[misc]
        )
        instead = answer.text[len(begin) :].split("\n")[number]
        if _is_correction(lines[number], instead, number, task):
            text = f"`{lines[number].strip()}` may have to be `{instead.strip()}`"
            yield Finding(task.selection.first_line + number, text)


def _is_correction(line: str, instead: str, number: int, task: ActionTask) -> bool:
    """Return whether another line is similar to a line, is different code, and is valid in its place."""
    selection = task.selection
    same = code_tokens(line.strip(), selection.language) == code_tokens(instead.strip(), selection.language)
    if same or Indel.normalized_similarity(line.strip(), instead.strip()) < _MIN_SIMILARITY:
        return False
    at = selection.first_line + number
    try:
        checked(instead.strip(), selection.of_lines(at, at + 1), "signatures")
    except Faulty:
        return False
    return True


def _parts(task: ActionTask) -> list[ActionTask]:
    """Split the lines into parts that a small model can attend to, where definitions begin if possible."""
    selection = task.selection
    starts = {definition.first_line for definition in selection.syntax.definitions() if definition.kind != "constant"}
    cuts, size, best = [selection.first_line], 0, 0
    for number, line in enumerate(selection.lines, selection.first_line):
        if number in starts and size > _PART_CHARACTERS // 3:
            best = number
        if size + len(line) > _PART_CHARACTERS and number > cuts[-1]:
            cut = best if best > cuts[-1] else number
            size = sum(len(line) + 1 for line in selection.redacted_lines[cut:number])
            cuts.append(cut)
        size += len(line) + 1
    ends = [*cuts[1:], selection.end_line]
    return [replace(task, selection=selection.of_lines(*lines)) for lines in zip(cuts, ends, strict=True)]


def _prepare(task: ActionTask) -> ActionTask:
    """Select the whole file where one line is selected."""
    selection = task.selection
    if selection.end_line - selection.first_line > 1:
        return task
    return replace(task, selection=selection.of_document())


REVIEW = Action(
    name="review",
    title="Review this file",
    kind="source.midfill.review",
    offered=frozenset({Place.FILE}),
    prepare=_prepare,
    parts=_parts,
    find=_find,
)
