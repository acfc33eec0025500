"""The report of the suite ``edits``."""

from __future__ import annotations

import json
from dataclasses import replace

from midfill.evals.edits.asking import EditResult
from midfill.evals.edits.report import EditsReport

ROW = EditResult(
    model="some",
    left_out="",
    question="given",
    task="a",
    kind="known",
    language="Python",
    outcome="exact",
    reason="",
    similarity=1.0,
    is_reversal=False,
    rank=None,
    asked=1,
    is_guess=False,
    confidence=0.9,
    prompt_tokens=100,
    reused_tokens=40,
    tokens=60,
    steps=10,
    milliseconds=100.0,
    lines="x",
)
SILENT = replace(ROW, outcome="silent", reason="unchanged", similarity=None, confidence=None, lines="")
WRONG = replace(ROW, outcome="wrong", similarity=0.5, confidence=0.6, is_reversal=True, milliseconds=300.0, kind="new")
FOUND = replace(ROW, question="found", rank=1)
QUIET = replace(SILENT, question="quiet", kind="cursor")
CHANGED = replace(WRONG, question="quiet", similarity=None, kind="alike", is_reversal=False)


def report(*rows: EditResult) -> EditsReport:
    """Return the report of some results."""
    return EditsReport(selection="all", model="some", rows=rows)


def test_figures_as_json() -> None:
    """Shares of all and of those shown, times, tokens a step, reasons; for each kind and language too."""
    said = json.loads(json.dumps(report(ROW, SILENT, WRONG, QUIET, CHANGED).to_json(rows=True)))
    given, quiet = said["given"], said["quiet"]
    assert [given[name]["count"] for name in ("shown", "exact", "silent", "wrong")] == [2, 1, 1, 1]
    assert given["exact_of_shown"]["rate"] == 0.5
    assert given["similarity_of_shown"] == 0.75
    assert (given["reversals"], given["tokens_per_step"], given["reasons"]) == (1, 6.0, {"unchanged": 1})
    assert given["milliseconds"] == {"p50": 100.0, "p90": 300.0}
    assert {name: kind["asked"] for name, kind in given["kinds"].items()} == {"known": 2, "new": 1}
    assert [quiet[name]["count"] for name in ("silent", "wrong")] == [1, 1]
    assert len(said["rows"]) == 5
    assert "thresholds" not in said


def test_place_that_was_found() -> None:
    """First, later or never."""
    said = report(FOUND, replace(FOUND, rank=3), replace(FOUND, rank=None)).to_json()["found"]
    assert (said["found_first"]["count"], said["found"]["count"]) == (1, 2)


def test_what_a_gate_would_show() -> None:
    """Results without the gate tell it for each value of the least confidence; guesses have another scale."""
    guess = replace(ROW, is_guess=True, confidence=0.04)
    rows = [replace(row, left_out="drafts, gate") for row in (ROW, SILENT, WRONG, QUIET, CHANGED, guess)]
    thresholds = report(*rows).to_json()["thresholds"]
    written, guessed = ({row["min_confidence"]: row for row in thresholds[name]} for name in ("written", "guessed"))
    assert written[0.5] == {"min_confidence": 0.5, "shown": 2, "exact": 1, "quiet_changed": 1}
    assert written[0.7] == {"min_confidence": 0.7, "shown": 1, "exact": 1, "quiet_changed": 0}
    assert [guessed[least]["exact"] for least in (0.03, 0.05)] == [1, 0]
    assert "  guessed, with the gate at" in report(*rows).to_text().split("\n")


def test_figures_as_text() -> None:
    """Each question has its own lines; nothing shown is no share of it."""
    lines = report(ROW, WRONG, FOUND, QUIET, CHANGED).to_text().split("\n")
    assert lines[0] == "edits: all, model some"
    assert "    exact of shown   50.0% (1 of 2; 95% interval 9.5% to 90.5%)" in lines
    assert "    wrongly changed  50.0% (1 of 2; 95% interval 9.5% to 90.5%)" in lines
    assert "      alike           1 asked,   1 shown,   1 changed" in lines
    assert "none shown" in report(SILENT).to_text()
