"""Counts by week and language, for `midfill stats --html`: a small file a week. They have no text and no path."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from midfill.code.languages import language_of
from midfill.common.json_store import JsonStore
from midfill.common.paths import cache_dir

_FOLDER = "weeks"
_MAX_COUNT = 10**12
"""More than anybody's suggestions. A damaged file may have any number."""
_MAX_WEEKS = 53
"""Number of latest weeks that are kept."""
_WEEK = re.compile(r"\d{4}-W\d{2}")
_LANGUAGE = re.compile(r"[\w #+.-]{1,40}")
MILLISECONDS = (25, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000)
"""The times of answers are counted by the least of these that they do not exceed."""
CHARACTERS = ("characters shown", "characters accepted", "characters kept")
_NAME = re.compile(rf"requests|shown|accepted|{'|'.join(CHARACTERS)}|within \d{{1,6}}|slower|nothing: [a-z-]{{1,40}}")

Counts = Mapping[str, int]
"""Amounts by what was counted."""
Weeks = Mapping[str, Mapping[str, Counts]]
"""Counts by week, such as "2026-W07", and then by the name of the language."""


class WeeklyCounts:
    """The counts that one server adds to those of this machine."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Count in the week that ``now``, in seconds since 1970, is in."""
        self._now = now
        self._new: dict[str, dict[str, Counter[str]]] = {}

    def count(self, path: str, language_id: str, name: str, amount: int = 1) -> None:
        """Add to a count of a document's language; :meth:`save` writes it."""
        week = _week_of(self._now())
        language = language_of(path, language_id).name
        self._new.setdefault(week, {}).setdefault(language, Counter())[name] += amount

    def count_milliseconds(self, path: str, language_id: str, milliseconds: float) -> None:
        """Count the time of an answer that was shown."""
        limit = next((limit for limit in MILLISECONDS if milliseconds <= limit), None)
        self.count(path, language_id, f"within {limit}" if limit else "slower")

    def save(self) -> None:
        """Add the new counts to those in the files. What cannot be written is kept for the next time."""
        for week in list(self._new):
            store = JsonStore(f"{_FOLDER}/{week}")
            is_new_week = not store.names()
            if store.update(partial(_add, new=self._new[week])):
                del self._new[week]
                if is_new_week:
                    _remove_old_weeks()


def weeks() -> Weeks:
    """Return the counts of this machine, the oldest week first. What is damaged is left out."""
    found = {file.stem: JsonStore(f"{_FOLDER}/{file.stem}") for file in _files()[-_MAX_WEEKS:]}
    return {
        week: {language: _counts(store.get(language)) for language in store.names() if _LANGUAGE.fullmatch(language)}
        for week, store in found.items()
    }


def total(counts: list[Counts]) -> Counter[str]:
    """Return the sum of several counts."""
    return sum((Counter(each) for each in counts), Counter())


def within(counts: Counts, share: float) -> int | None:
    """Return the milliseconds within which a share of the answers came, from 0 to 1, rounded up to a limit.

    None if there were no answers, or if that share took longer than the longest limit.
    """
    answers = [counts.get(f"within {limit}", 0) for limit in MILLISECONDS]
    needed = share * (sum(answers) + counts.get("slower", 0))
    if not needed:
        return None
    return next((limit for at, limit in enumerate(MILLISECONDS, start=1) if sum(answers[:at]) >= needed), None)


def _add(values: dict[str, Any], *, new: Mapping[str, Counter[str]]) -> None:
    for language, counts in new.items():
        known = _counts(values.get(language))
        values[language] = {name: min(known.get(name, 0) + counts[name], _MAX_COUNT) for name in (*known, *counts)}


def _counts(value: Any) -> dict[str, int]:
    """Return the counts in a value of a file. A damaged file may have anything."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {
        name: amount
        for name, amount in pairs
        if _NAME.fullmatch(name) and type(amount) is int and 0 <= amount <= _MAX_COUNT
    }


def _week_of(seconds: float) -> str:
    year, week, _ = datetime.fromtimestamp(seconds).isocalendar()
    return f"{year:04}-W{week:02}"


def _files() -> list[Path]:
    """Return the files of all weeks, the oldest first."""
    return sorted(file for file in (cache_dir() / _FOLDER).glob("*.json") if _WEEK.fullmatch(file.stem))


def _remove_old_weeks() -> None:
    for file in _files()[:-_MAX_WEEKS]:
        for old in (file, file.with_name(f".{file.name}.lock")):
            with suppress(OSError):
                old.unlink()
