"""The suite ``needle``: how needles are made, and which answers count as found."""

from __future__ import annotations

import json
import re

import pytest

from midfill.common.errors import EvalError
from midfill.completion.types import Completion, Request
from midfill.evals.needle import MAX_NEEDLES, NeedleReport, needles, run

HAY = ["import os\n\n\ndef hay(straw):\n    return straw\n" * 40, "class Stack:\n    pass\n" * 40]


def words(text: str) -> int:
    """Count words, which stand for tokens here."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def play(answer: str) -> NeedleReport:
    """Run a model that always answers ``answer``, where ``{}`` is the second parameter of the first function."""

    def complete(request: Request) -> Completion:
        second = request.text.partition(", ")[2].partition(",")[0]
        assert request.text.endswith("=1, ")
        assert request.offset == len(request.text)
        return Completion(text=answer.format(second), start=0, end=0, model="m", prompt_tokens=words(request.text))

    made = [needle for length in (50, 100) for needle in needles(length, 2, HAY, words)]
    return run(complete, made, [9000], lambda *_: None)


def test_definition_stands_so_far_before_its_call() -> None:
    """The distance is about the requested one, and only the definition has the answer."""
    for needle in needles(120, MAX_NEEDLES, HAY, words):
        definition, hay = needle.text.split("\n\n\n", 1)
        hay, _, call = hay.rpartition("\n\n")
        assert 120 <= words(hay) <= 130
        assert needle.text.count(needle.expected[:-1]) == 2
        assert definition.count(needle.expected[:-1]) == 2
        assert call.startswith(f"result = {definition.partition('(')[0].removeprefix('def ')}(")


def test_needles_have_hay_and_words_of_their_own() -> None:
    """So the cached prompt of one needle is of no use for another."""
    made = needles(60, 2, HAY, words)
    assert len({needle.expected for needle in needles(60, MAX_NEEDLES, HAY, words)}) == MAX_NEEDLES
    assert "def hay" in made[0].text
    assert "class Stack" in made[1].text


def test_too_little_hay() -> None:
    """One line says so."""
    with pytest.raises(EvalError, match="fewer than 9000 tokens"):
        needles(9000, 1, HAY, words)


@pytest.mark.parametrize(
    ("answer", "found"), [("{}=2)", 2), ("{} = 2)", 2), ("straw=2)", 0), ("", 0)], ids=["it", "spaced", "other", "none"]
)
def test_next_argument_counts(answer: str, found: int) -> None:
    """Only the name of the argument counts, not its value."""
    report = play(answer)
    said = report.to_json(rows=True)
    assert [(row["length"], row["needles"], row["found"]["count"]) for row in said["lengths"]] == [
        (50, 2, found),
        (100, 2, found),
    ]
    assert len(said["rows"]) == 4
    json.dumps(said)
    assert f"{found} of 2" in report.to_text()
    assert "9,000   is longer than the model's context" in report.to_text()
