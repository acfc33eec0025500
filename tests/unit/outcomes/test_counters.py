"""Counters: each suggestion is counted once, and only counts are kept."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.common.reasons import Reason
from midfill.completion.types import Completion, Request
from midfill.outcomes.acceptance import AcceptanceTracker, kept_characters
from midfill.outcomes.counters import Counters, summary, to_text
from midfill.outcomes.weekly import weeks
from unit.clock import ManualClock


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))


def shown(
    tracker: AcceptanceTracker, text: str = "left + right", number: int = 1, typed: str = "", *, automatic: bool = True
) -> None:
    """Show a suggestion at the start of a document, or the rest of it after ``typed``."""
    request = Request(text=typed, offset=len(typed), path="a", automatic=automatic)
    rest = text[len(typed) :]
    answer = Completion(text=rest, start=len(typed), end=len(typed), logprobs=(math.log(0.75),))
    tracker.answered(number, request, answer)


def counts(statistics: Counters) -> dict[str, int]:
    """Return the counts that are not zero."""
    statistics.save()
    found = summary()
    return {name: count for name, count in found.items() if isinstance(count, int) and count}


def test_edits_that_insert_a_suggestion_accept_it() -> None:
    """An edit may insert a part of a suggestion, and a later edit the rest; each is counted once."""
    statistics = Counters()

    async def work() -> None:
        tracker = AcceptanceTracker(statistics, lambda _: None)
        shown(tracker)
        tracker.inserted("a", 0, "left ")
        tracker.inserted("b", 5, "+ right")
        tracker.inserted("a", 5, "+ right")
        tracker.inserted("a", 5, "+ right")

    asyncio.run(work())
    assert counts(statistics) == {
        "requests": 1, "shown": 1, "partly_accepted": 1, "accepted": 1, "characters_shown": 12,
        "characters_accepted": 12,
    }  # fmt: skip
    assert summary()["by_confidence"][7] == {"from": 0.7, "shown": 1, "accepted": 1}


def test_typed_suggestion_is_shown_once_and_not_accepted() -> None:
    """The rest of a suggestion is not a new one, and a suggestion typed to its end counts as typed through."""
    statistics = Counters()

    async def work() -> None:
        tracker = AcceptanceTracker(statistics, lambda _: None)
        for place, key in enumerate("left"):
            shown(tracker, "left", place + 1, "left"[:place])
            tracker.inserted("a", place, key)

    asyncio.run(work())
    assert counts(statistics) == {"requests": 4, "shown": 1, "characters_shown": 4, "typed_through": 1}


@pytest.mark.parametrize(("later", "expected"), [("x left + right y", "still_there"), ("left", "changed_since")])
def test_accepted_text_is_looked_for_later(later: str, expected: str) -> None:
    """Some time after an acceptance, the document is searched for the text."""
    statistics = Counters()
    clock = ManualClock()
    tracker = AcceptanceTracker(statistics, {"a": later}.get, clock)
    shown(tracker)
    tracker.accepted(1, 12)
    tracker.accepted(1, 12)
    clock.advance(29)
    assert counts(statistics).get(expected, 0) == 0
    clock.advance(2)
    assert counts(statistics)[expected] == 1
    assert counts(statistics)["accepted"] == 1


def test_accepted_characters_that_are_still_there_are_kept() -> None:
    """Each part that was accepted is looked for half a minute later, also one that was accepted word by word."""
    statistics = Counters()
    clock = ManualClock()
    tracker = AcceptanceTracker(statistics, {"a": "left * right"}.get, clock)
    shown(tracker)
    tracker.inserted("a", 0, "left ")
    tracker.inserted("a", 5, "+ right")
    clock.advance(31)
    assert counts(statistics)["characters_accepted"] == 12
    assert counts(statistics)["characters_kept"] == 5
    (languages,) = weeks().values()
    assert languages["Text"] == {
        "requests": 1, "shown": 1, "accepted": 1, "within 25": 1, "characters shown": 12, "characters accepted": 12,
        "characters kept": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("taken", "text", "kept"),
    [
        ("a = 1\n  b = 2\n", "x\na = 1\n  b = 2\n", 14),
        ("a = 1\n  b = 2\n", "a = 1\n\n\tb = 2", 10),
        ("a = 1\n  b = 2\n", "a = 1\nb = 3", 5),
        ("a = 1", "", 0),
        ("", "a", 0),
    ],
)
def test_kept_characters(taken: str, text: str, kept: int) -> None:
    """All of a text that is still there, or those of its lines that are."""
    assert kept_characters(taken, text) == kept


def test_counts_of_several_servers_add_up() -> None:
    """Each server adds its counts to the file, also those of the reasons for no suggestion."""
    for _ in range(2):
        statistics = Counters()
        AcceptanceTracker(statistics, lambda _: None).answered(
            1, Request(text="", offset=0), Completion(text="", start=0, end=0, reason=Reason.UNSURE)
        )
        statistics.save()
    assert summary()["nothing"] == {"unsure": 2}
    assert "unsure" in to_text(summary())


def test_counts_of_two_servers_at_the_same_time_add_up() -> None:
    """None of 600 is lost, however their writes fall together."""
    program = """
from midfill.outcomes.counters import Counters
counters = Counters()
for _ in range(300):
    counters.count("shown")
    counters.save()
while not counters.save():
    pass
"""
    servers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [server.wait() for server in servers] == [0, 0]
    assert summary()["shown"] == 600


def test_counts_that_cannot_be_written_are_kept_for_the_next_time(tmp_path: Path) -> None:
    """Such as while the disk is full."""
    statistics = Counters()
    statistics.count("shown", 2)
    (tmp_path / "statistics.json").mkdir()
    assert not statistics.save()
    assert summary()["shown"] == 0
    (tmp_path / "statistics.json").rmdir()
    statistics.count("shown")
    assert statistics.save()
    assert summary()["shown"] == 3


def test_summary_without_counts() -> None:
    """Without suggestions there is no acceptance rate, and the text says that nothing was requested."""
    assert summary()["acceptance"] is None
    assert "Nothing" in to_text(summary())
