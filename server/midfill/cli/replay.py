"""`midfill replay`: answers a recorded session again."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import Counter
from typing import Any

from midfill.cli.files import own_settings
from midfill.recording.digests import processor
from midfill.recording.events import ActionAnswer, Answer
from midfill.recording.replay import Replay, Replayed

_WORDS = {
    "": "same",
    "answer": "OTHER ANSWER",
    "prompt": "OTHER PROMPT",
    "unanswered": "UNANSWERED",
}
"""How the lines about requests begin, by what differs."""


def run(args: argparse.Namespace) -> int:
    """Print a line for each request, and whether all answers are the same.

    Raises:
        RecordError: the file cannot be read, is damaged, or was recorded with another bundle.
        BundleError: the bundle cannot be used.
    """
    replay = Replay(args.file, own_settings(args.bundle))
    counts: Counter[str] = Counter()
    printed: list[dict[str, Any]] = []
    for number, replayed in enumerate(replay.answers(), 1):
        counts[replayed.difference] += 1
        if args.json:
            printed.append({"number": number, "difference": replayed.difference, **dataclasses.asdict(replayed)})
        else:
            sys.stdout.write(_to_text(number, replayed))
            sys.stdout.flush()
    if args.json:
        found = {
            "answers": printed,
            "interrupted": replay.interrupted,
            "unread": replay.unread,
            "processor": replay.processor,
        }
        sys.stdout.write(f"{json.dumps(found, indent=2)}\n")
    else:
        sys.stdout.write(f"{_summary(counts, replay)}\n")
    return 0 if sum(counts.values()) == counts[""] else 1


def _to_text(number: int, replayed: Replayed) -> str:
    place = f"{_escaped(replayed.path)}:{replayed.line}:{replayed.column}"
    line = f"{_WORDS[replayed.difference]}  {number}  {place}  {_said(replayed.now)}\n"
    if replayed.difference and replayed.recorded is not None:
        line += f"    recorded: {_said(replayed.recorded)}\n"
    return line


def _said(answer: Answer | ActionAnswer) -> str:
    """Return what an answer says in one line. The file may come from a stranger, so control characters are escaped."""
    if isinstance(answer, ActionAnswer):
        text, others = answer.text or "\n".join(answer.lines), ""
    else:
        text, others = answer.text, f" and {len(answer.alternatives)} more" if answer.alternatives else ""
    return f'"{_escaped(text)}"{others}' if text else f"nothing ({_escaped(answer.reason)})"


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _summary(counts: Counter[str], replay: Replay) -> str:
    total = sum(counts.values())
    line = f"{total} answers, {counts['']} of them the same"
    line += f"; {replay.interrupted} requests were interrupted, {replay.unread} not read"
    if replay.processor and replay.processor != (here := processor()):
        line += f"; recorded on {_escaped(replay.processor)}, answered on {here}"
    return f"{line}."
