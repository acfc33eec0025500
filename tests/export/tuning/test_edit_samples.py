"""Samples of next edits: the server's prompt, and what the author made of the window."""

from __future__ import annotations

from dataclasses import replace

from midfill.evals.edits.hunks import FileChange
from midfill.evals.edits.tasks import TaskSet, cut
from midfill_export.tuning.edit_samples import EditCutter

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
FILLING = "".join(f"f({line})\n" for line in range(30))


def encode(text: str) -> list[int]:
    """Return a token a character."""
    return [ord(character) for character in text]


def text(ids: list[int]) -> str:
    """Return the text of tokens."""
    return "".join(map(chr, ids))


def tasks(tail: str = "") -> TaskSet:
    """Return the tasks of a file in which a parameter was renamed in two places."""
    before, after = (
        f"{FILLING}area({name}=1)\n{FILLING}print(area({name}=2)){tail}\n{FILLING}" for name in ("w", "width")
    )
    return cut([FileChange("some", "1.1", "a.py", before, after)])


def test_the_answer_is_the_new_window() -> None:
    """The changes so far are in the prompt, and the first lines of the answer; a quiet window stays as it is."""
    found = tasks()
    hunk, quiet = EditCutter(encode, 4_096).held_out(TaskSet(found.hunks, found.quiet[:1]))
    prompt, answer = text(hunk.prompt), text(hunk.answer)
    assert "area(w=1)\n</original>\n<updated>\narea(width=1)" in prompt
    assert prompt.endswith("<updated>\nf(26)\nf(27)\n")
    assert answer.startswith("f(28)\nf(29)\nprint(area(width=2))\nf(0)\n")
    assert answer.endswith("\n</updated>")
    window = text(quiet.prompt).rpartition("<original>\n")[2]
    assert window.partition("\n</original>")[0].endswith(text(quiet.answer).removesuffix("\n</updated>"))


def test_secrets_are_not_learnt() -> None:
    """Neither in the prompt nor in the answer."""
    [sample] = EditCutter(encode, 4_096).held_out(replace(tasks(f'  # "{TOKEN}"'), quiet=()))
    assert TOKEN not in text(sample.prompt) + text(sample.answer)
    assert "<github-token>" in text(sample.answer)


def test_the_same_number_is_the_same_sample() -> None:
    """A run that continues depends on it. A sample that is too long for the model is none."""
    cutter = EditCutter(encode, 4_096)
    assert cutter.training(tasks(), 3) == cutter.training(tasks(), 3)
    assert EditCutter(encode, 100).held_out(tasks()) == []
