"""MT-Bench's questions on coding (Zheng et al., 2023), answered for a judge of the user's choice.

Nothing is judged here. A question has two turns; the second one is asked after the answer to the first. Answers have
the form that the benchmark's own tools read.
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
from midfill.evals.runner import OnProgress
from midfill.prompt.chat_template import Message

CATEGORY = "coding"

Say = Callable[[Sequence[Message]], str]
"""Messages -> the answer."""


@dataclass(frozen=True)
class Question:
    """What is asked, turn by turn."""

    number: int
    turns: tuple[str, ...]


@dataclass(frozen=True)
class MtBenchReport:
    """All answers, as lines of ``model_answer/MODEL.jsonl``."""

    model: str
    answers: tuple[dict[str, Any], ...]

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return what JSON can hold; ``rows`` or not, the answers are what there is."""
        del rows
        return {"suite": "mt-bench-coding", "model": self.model, "answers": list(self.answers)}

    def to_text(self) -> str:
        """Return the JSON lines."""
        return "\n".join(json.dumps(answer, ensure_ascii=False) for answer in self.answers)


def questions(path: Path) -> list[Question]:
    """Return the questions on coding that a file ``question.jsonl`` has.

    Raises:
        EvalError: there are none, or a line is no question.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{path} cannot be read: {type(error).__name__}.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            question = Question(int(said["question_id"]), tuple(said["turns"]))
            if not question.turns or not all(isinstance(turn, str) for turn in question.turns):
                raise TypeError
        except (ValueError, LookupError, TypeError) as error:
            raise EvalError(
                f"{path}, line {number}, is no question: it should have question_id, category and turns."
            ) from error
        if said.get("category") == CATEGORY:
            found.append(question)
    if not found:
        raise EvalError(f"{path} has no question of the category '{CATEGORY}'.")
    return found


def run(say: Say, model: str, asked: Sequence[Question], progress: OnProgress) -> MtBenchReport:
    """Answer every turn of every question."""
    answers = []
    for done, question in enumerate(asked, start=1):
        messages: list[Message] = []
        said = []
        for turn in question.turns:
            messages.append(Message("user", turn))
            said.append(say(messages))
            messages.append(Message("assistant", said[-1]))
        answers.append(
            {
                "question_id": question.number,
                "answer_id": uuid.uuid4().hex[:22],
                "model_id": model,
                "choices": [{"index": 0, "turns": said}],
                "tstamp": time.time(),
            }
        )
        progress(done, len(asked))
    return MtBenchReport(model, tuple(answers))
