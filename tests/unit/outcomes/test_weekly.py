"""Counts by week and language."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from midfill.outcomes.weekly import WeeklyCounts, total, weeks, within

MONDAY = datetime(2026, 11, 30, 12).timestamp()
WEEK = 7 * 86_400.0


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Use a cache folder of the test's own; return the folder of the weeks."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    return tmp_path / "weeks"


def count(name: str, amount: int = 1, *, path: str = "a.py", language_id: str = "", at: float = MONDAY) -> None:
    """Count as a server of its own."""
    counts = WeeklyCounts(lambda: at)
    counts.count(path, language_id, name, amount)
    counts.save()


def test_counts_of_several_servers_add_up() -> None:
    """By the language of the document, and by the week in which they were counted."""
    count("shown")
    count("shown", 2)
    count("shown", path="b.unknown", language_id="rust")
    count("nothing: unsure", at=MONDAY + WEEK)
    assert weeks() == {
        "2026-W49": {"Python": {"shown": 3}, "Rust": {"shown": 1}},
        "2026-W50": {"Python": {"nothing: unsure": 1}},
    }


def test_last_days_of_a_year_belong_to_a_week() -> None:
    """As ISO 8601 counts them, so that no week is cut in two."""
    count("shown", at=datetime(2027, 1, 3, 12).timestamp())
    assert list(weeks()) == ["2026-W53"]


def test_old_weeks_are_removed(cache: Path) -> None:
    """A year is kept."""
    cache.mkdir()
    for week in range(1, 61):
        (cache / f"{2020 + week // 53}-W{week % 53:02}.json").write_text("{}", encoding="utf-8")
    count("shown")
    assert len(list(cache.glob("*.json"))) == 53
    assert list(weeks())[-1] == "2026-W49"


def test_counts_that_cannot_be_written_are_kept_for_the_next_time(cache: Path) -> None:
    """Such as while the disk is full."""
    counts = WeeklyCounts(lambda: MONDAY)
    counts.count("a.py", "", "shown")
    cache.write_text("no folder", encoding="utf-8")
    counts.save()
    assert weeks() == {}
    cache.unlink()
    counts.save()
    assert weeks() == {"2026-W49": {"Python": {"shown": 1}}}


def test_damaged_file_is_no_harm(cache: Path) -> None:
    """Only counts are read, by names that there are."""
    count("shown")
    values = {
        "Python": {"shown": 2, "accepted": -1, "requests": "many", "/private/file": 3, "nothing: secret text!": 1},
        "<script>": {"shown": 1},
        "Rust": [1],
    }
    (cache / "2026-W49.json").write_text(json.dumps(values), encoding="utf-8")
    (cache / "2026-W48.json").write_text("no json", encoding="utf-8")
    (cache / "other.json").write_text("{}", encoding="utf-8")
    assert weeks() == {"2026-W48": {}, "2026-W49": {"Python": {"shown": 2}, "Rust": {}}}


def test_no_text_and_no_path_is_written(cache: Path) -> None:
    """The file has the week, languages and numbers."""
    count("characters kept", 12, path="/home/somebody/private.py")
    assert (cache / "2026-W49.json").read_text(encoding="utf-8") == '{"Python": {"characters kept": 12}}'


def test_time_within_which_answers_came() -> None:
    """It is rounded up to a limit."""
    counts = WeeklyCounts(lambda: MONDAY)
    for milliseconds in (0, 24, 90, 260, 99_999):
        counts.count_milliseconds("a.py", "", milliseconds)
    counts.save()
    found = weeks()["2026-W49"]["Python"]
    assert found == {"within 25": 2, "within 100": 1, "within 300": 1, "slower": 1}
    assert [within(found, share) for share in (0.4, 0.5, 0.8, 0.9)] == [25, 100, 300, None]
    assert within({}, 0.5) is None
    assert total([found, {"slower": 2}])["slower"] == 3
