"""What became of suggestions: counted once each, and kept as counts only."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from midfill.common.reasons import Reason
from midfill.completion.types import Completion, Request
from midfill.outcomes.acceptance import AcceptanceTracker
from midfill.outcomes.counters import Counters, summary, to_text
from waiting import LIMIT


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))


def shown(
    feedback: AcceptanceTracker, text: str = "left + right", number: int = 1, typed: str = "", *, automatic: bool = True
) -> None:
    """Show a suggestion at the start of a document, or what is left of it after ``typed``."""
    request = Request(text=typed, offset=len(typed), path="a", automatic=automatic)
    rest = text[len(typed) :]
    answer = Completion(text=rest, start=len(typed), end=len(typed), logprobs=(math.log(0.75),))
    feedback.answered(number, request, answer)


def counts(statistics: Counters) -> dict[str, int]:
    """Return what is not zero."""
    statistics.save()
    found = summary()
    return {name: count for name, count in found.items() if isinstance(count, int) and count}


def test_edits_that_insert_a_suggestion_accept_it() -> None:
    """All of it, a part of it, or its rest after a part."""
    statistics = Counters()

    async def work() -> None:
        feedback = AcceptanceTracker(statistics, lambda _: None)
        shown(feedback)
        feedback.inserted("a", 0, "left ")
        feedback.inserted("b", 5, "+ right")
        feedback.inserted("a", 5, "+ right")
        feedback.inserted("a", 5, "+ right")

    asyncio.run(work())
    assert counts(statistics) == {
        "requests": 1, "shown": 1, "partly_accepted": 1, "accepted": 1, "characters_shown": 12,
        "characters_accepted": 12,
    }  # fmt: skip
    assert summary()["by_confidence"][7] == {"from": 0.7, "shown": 1, "accepted": 1}


def test_typing_along_shows_nothing_new_and_is_told_apart() -> None:
    """What is left of a suggestion is the same suggestion; typed to its end, it was typed, not accepted."""
    statistics = Counters()

    async def work() -> None:
        feedback = AcceptanceTracker(statistics, lambda _: None)
        for place, key in enumerate("left"):
            shown(feedback, "left", place + 1, "left"[:place])
            feedback.inserted("a", place, key)

    asyncio.run(work())
    assert counts(statistics) == {"requests": 4, "shown": 1, "characters_shown": 4, "typed_through": 1}


@pytest.mark.parametrize(("later", "expected"), [("x left + right y", "still_there"), ("left", "changed_since")])
def test_accepted_text_is_looked_for_later(later: str, expected: str) -> None:
    """Half a minute later in earnest; a document that was closed says nothing."""
    statistics = Counters()

    async def work() -> None:
        looked = asyncio.Event()

        def text_of(path: str) -> str | None:
            looked.set()
            return {"a": later}.get(path)

        feedback = AcceptanceTracker(statistics, text_of, still_there_after=0.0)
        shown(feedback)
        feedback.accepted(1, 12)
        feedback.accepted(1, 12)
        await asyncio.wait_for(looked.wait(), LIMIT)
        await asyncio.sleep(0)  # a second look would be due now

    asyncio.run(work())
    assert counts(statistics)[expected] == 1
    assert counts(statistics)["accepted"] == 1


def test_counts_of_several_servers_add_up() -> None:
    """With the reasons for showing nothing; damaged counts begin anew."""
    for _ in range(2):
        statistics = Counters()
        AcceptanceTracker(statistics, lambda _: None).answered(
            1, Request(text="", offset=0), Completion(text="", start=0, end=0, reason=Reason.UNSURE)
        )
        statistics.save()
    assert summary()["nothing"] == {"unsure": 2}
    assert "unsure" in to_text(summary())


def test_nothing_yet() -> None:
    """No division by zero, and a plain word."""
    assert summary()["acceptance"] is None
    assert "Nothing" in to_text(summary())
