"""MT-Bench's coding questions are answered turn by turn, in the format that its tools read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill.evals.mt_bench import questions, run
from midfill.prompt.chat_template import Message

QUESTIONS = [
    {"question_id": 7, "category": "coding", "turns": ["Reverse a list in Python.", "Now in place."]},
    {"question_id": 8, "category": "writing", "turns": ["A poem."]},
    {"question_id": 9, "category": "coding", "turns": ["What is a heap?"], "reference": ["A tree."]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the questions in the benchmark's format."""
    path = tmp_path / "question.jsonl"
    path.write_text("".join(f"{json.dumps(question)}\n" for question in QUESTIONS))
    return path


def test_second_turn_sees_the_first(file: Path) -> None:
    """Only coding questions are asked, and each turn comes with all earlier ones."""
    heard: list[list[tuple[str, str]]] = []

    def say(messages: Sequence[Message]) -> str:
        heard.append([(message.role, message.content) for message in messages])
        return f"answer {len(heard)}"

    report = run(say, "small", questions(file), lambda *_: None)
    assert heard == [
        [("user", "Reverse a list in Python.")],
        [("user", "Reverse a list in Python."), ("assistant", "answer 1"), ("user", "Now in place.")],
        [("user", "What is a heap?")],
    ]
    answers = [json.loads(line) for line in report.to_text().splitlines()]
    assert [answer["question_id"] for answer in answers] == [7, 9]
    assert answers[0]["choices"] == [{"index": 0, "turns": ["answer 1", "answer 2"]}]
    assert answers[0]["model_id"] == "small"
    assert answers[0]["answer_id"] != answers[1]["answer_id"]
    assert answers[0]["tstamp"] > 1e9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no question of the category 'coding'"),
        ('{"question_id": 1, "category": "writing", "turns": ["A"]}', "has no question of the category"),
        ('{"question_id": 1, "category": "coding", "turns": []}', ":1: this line is not a question"),
        ('{"question_id": "x", "category": "coding", "turns": ["A"]}', ":1: this line is not a question"),
        ("no JSON", ":1: this line is not a question"),
    ],
)
def test_data_that_is_none(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the file and what is wrong with it."""
    path = tmp_path / "question.jsonl"
    path.write_text(text)
    assert main(["eval", "mt-bench-coding", "--data", str(path)]) == 1
    errors = capsys.readouterr().err
    assert said in errors
    assert errors.count("\n") == 1


def test_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    """The questions are not part of Midfill, and no other suite has a file for answers."""
    assert main(["eval", "mt-bench-coding"]) == 2
    assert "needs --data with the path of MT-Bench's question.jsonl" in capsys.readouterr().err
    assert main(["eval", "languages", "--out", "answers.jsonl"]) == 2
    assert "--out is for the suite 'mt-bench-coding'." in capsys.readouterr().err


@pytest.mark.bundle
def test_real_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default model answers both turns, and the answers are written to the file."""
    question = {
        "question_id": 3,
        "category": "coding",
        "turns": ["What is 2 + 2? Answer with the number.", "And 3 + 3?"],
    }
    file, out = tmp_path / "question.jsonl", tmp_path / "answers.jsonl"
    file.write_text(json.dumps(question))
    assert main(["eval", "mt-bench-coding", "--data", str(file), "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    [answer] = [json.loads(line) for line in out.read_text().splitlines()]
    first, second = answer["choices"][0]["turns"]
    assert "4" in first
    assert "6" in second
