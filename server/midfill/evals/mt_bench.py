"""The suite ``mt-bench-coding``: MT-Bench's coding questions (Zheng et al., 2023), answered by the model.

The answers are not judged here. They have the format that the benchmark's own tools read. A question has two turns;
the second turn is asked after the answer to the first.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midfill.common.errors import EvalError
from midfill.common.limits import MAX_FILE_BYTES
from midfill.common.regular_file import read_regular
from midfill.evals.runner import OnProgress
from midfill.prompt.chat_template import Message

CATEGORY = "coding"

Answer = Callable[[Sequence[Message]], str]
"""Returns the model's answer to a conversation."""


@dataclass(frozen=True)
class Question:
    """A question of the benchmark."""

    number: int
    """The benchmark's ``question_id``."""
    turns: tuple[str, ...]
    """What the user says in each turn."""


@dataclass(frozen=True)
class MtBenchReport:
    """All answers, as lines of ``model_answer/MODEL.jsonl``."""

    model: str
    answers: tuple[dict[str, Any], ...]

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values; the answers are always included."""
        del rows
        return {"suite": "mt-bench-coding", "model": self.model, "answers": list(self.answers)}

    def to_text(self) -> str:
        """Return the answers as JSON lines."""
        return "\n".join(json.dumps(answer, ensure_ascii=False) for answer in self.answers)


def questions(path: Path) -> list[Question]:
    """Return the coding questions of a file ``question.jsonl``.

    Raises:
        EvalError: the file has none, or a line is not a question.
    """
    try:
        lines = read_regular(path, MAX_FILE_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{path} cannot be read: {type(error).__name__}.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            question = Question(int(data["question_id"]), tuple(data["turns"]))
            if not question.turns or not all(isinstance(turn, str) for turn in question.turns):
                raise TypeError
        except (ValueError, LookupError, TypeError) as error:
            raise EvalError(
                f"{path}:{number}: this line is not a question: it needs question_id, category and turns."
            ) from error
        if data.get("category") == CATEGORY:
            found.append(question)
    if not found:
        raise EvalError(f"{path} has no question of the category '{CATEGORY}': name MT-Bench's question.jsonl.")
    return found


def run(answer: Answer, model: str, asked: Sequence[Question], progress: OnProgress) -> MtBenchReport:
    """Answer every turn of every question."""
    answers = []
    for done, question in enumerate(asked, start=1):
        messages: list[Message] = []
        turns = []
        for turn in question.turns:
            messages.append(Message("user", turn))
            turns.append(answer(messages))
            messages.append(Message("assistant", turns[-1]))
        answers.append(
            {
                "question_id": question.number,
                "answer_id": uuid.uuid4().hex[:22],
                "model_id": model,
                "choices": [{"index": 0, "turns": turns}],
                "tstamp": time.time(),
            }
        )
        progress(done, len(asked))
    return MtBenchReport(model, tuple(answers))
