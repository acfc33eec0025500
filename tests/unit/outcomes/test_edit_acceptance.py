"""What becomes of predicted edits is counted: shown, applied, and still there half a minute later."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.reasons import Reason
from midfill.next_edit.types import NextEdit, Place, TextEdit, Why
from midfill.outcomes.counters import Counters, summary, to_text
from midfill.outcomes.edit_acceptance import EditAcceptance
from midfill.outcomes.edit_verdicts import add_edit
from midfill.outcomes.explain import to_lines, to_markdown
from midfill.outcomes.journal import Journal, read_verdicts
from unit.clock import ManualClock

TEXT = "a = 1\nb = a\n"


@pytest.fixture(autouse=True)
def own_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the counts of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))


def counts() -> list[int]:
    """Return the numbers of edits shown, applied and kept."""
    found = summary()
    return [found[name] for name in ("edits_shown", "edits_applied", "edits_kept")]


@pytest.mark.parametrize(
    ("later", "expected"), [("b = radius\n", [1, 1, 1]), ("b = a\n", [1, 1, 0]), (None, [1, 1, 0])]
)
def test_an_edit_is_looked_for_again(later: str | None, expected: list[int]) -> None:
    """It is kept if its text still stands in the document; a closed document says nothing."""
    clock = ManualClock()
    acceptance = EditAcceptance(Counters(), lambda _: later, clock)
    acceptance.applied(1, "/work/a.py", "radius")
    clock.advance(29)
    assert counts() == [1, 1, 0]
    clock.advance(2)
    assert counts() == expected


def test_an_edit_counts_once() -> None:
    """A client may report it by a notification, a command and the change itself."""
    acceptance = EditAcceptance(Counters(), lambda _: "", ManualClock())
    for _ in range(3):
        acceptance.shown(1)
        acceptance.applied(1, "/work/a.py", "radius")
    assert counts() == [1, 1, 0]
    assert "edits applied" in to_text(summary())


def test_memory_is_bounded() -> None:
    """The oldest edits are forgotten."""
    acceptance = EditAcceptance(Counters(), lambda _: "", ManualClock())
    for number in range(500):
        acceptance.shown(number)
    assert len(acceptance._applied) <= 64


def test_verdict_has_the_place_and_no_text(tmp_path: Path) -> None:
    """As all verdicts; `midfill why` says that it is about an edit, and why its place was looked at."""
    journal = Journal(tmp_path / "journal.jsonl")
    place = Place(path="/work/a.py", line=1, why=Why.RENAMED)
    edit = NextEdit(place=place, edits=(TextEdit(10, 11, "radius"),), confidence=0.5, prompt=(1, 2), prompt_tokens=2)
    entry = add_edit(journal, TEXT, edit)
    [verdict] = read_verdicts(tmp_path / "journal.jsonl", 5)
    assert (verdict.line, verdict.column, verdict.edit, verdict.characters) == (2, 5, "renamed", 6)
    assert verdict.confidence == pytest.approx(0.5)
    assert "(next edit, renamed)" in to_lines(verdict)[0]
    assert "the model has no fill-in-the-middle" not in "".join(to_lines(verdict))
    assert "radius" not in (tmp_path / "journal.jsonl").read_text()
    assert "radius" in to_markdown(entry, lambda ids: f"{len(ids)} tokens")


def test_verdict_of_silence_has_its_reason() -> None:
    """At the place that was looked at, even if the document has no such line any more."""
    place = Place(path="/work/a.py", line=99, column=7, why=Why.CURSOR)
    entry = add_edit(Journal(), TEXT, NextEdit(place=place, reason=Reason.UNCHANGED))
    assert entry.verdict.reason == "unchanged"
