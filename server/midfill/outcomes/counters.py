"""Counts of suggestions and of what happened to them. They stay on this machine."""

from __future__ import annotations

import re
import time
from collections import Counter
from functools import partial
from typing import Any

from midfill.common.json_store import JsonStore
from midfill.outcomes.calibration import ConfidenceBin, min_confidence_for, shift
from midfill.settings.schema import Settings

_FILE = "statistics"
COUNTS = (
    "requests", "shown", "accepted", "partly accepted", "typed through", "still there", "changed since",
    "characters shown", "characters accepted", "characters kept", "edits shown", "edits applied", "edits kept",
)  # fmt: skip
_BINS = 10
_MAX_COUNT = 10**12
"""More than anybody's suggestions. A damaged file may have any number."""
_MAX_TIME = 2.0**33
"""In the year 2242."""
_REASON = re.compile(r"nothing: [a-z-]{1,40}")


class Counters:
    """The counts that one server adds to those of this machine."""

    def __init__(self) -> None:
        self._new: Counter[str] = Counter()

    def count(self, name: str, amount: int = 1) -> None:
        """Add to one of ``COUNTS``; :meth:`save` writes it."""
        self._new[name] += amount

    def count_reason(self, reason: str) -> None:
        """Count a request without a suggestion, by its reason code."""
        self.count(f"nothing: {reason}")

    def count_confidence(self, what: str, confidence: float) -> None:
        """Count a suggestion made while typing in its tenth of confidence; ``what`` is "shown" or "accepted"."""
        self.count(f"{what} at {min(int(confidence * _BINS), _BINS - 1)}")

    def save(self) -> bool:
        """Add the new counts to those in the file, which other servers also write.

        If that fails, they are kept for the next time; return whether it did not fail.
        """
        saved = not self._new or JsonStore(_FILE).update(self._add_new)
        if saved:
            self._new.clear()
        return saved

    def _add_new(self, values: dict[str, Any]) -> None:
        for name, amount in self._new.items():
            values[name] = min(_count(values.get(name)) + amount, _MAX_COUNT)
        values["since"] = _since(values.get("since")) or time.time()


def by_confidence() -> list[ConfidenceBin]:
    """Return the counts of suggestions made while typing on this machine, by tenths of confidence."""
    file = JsonStore(_FILE)
    return [
        ConfidenceBin((tenth + 0.5) / _BINS, _value(file, f"shown at {tenth}"), _value(file, f"accepted at {tenth}"))
        for tenth in range(_BINS)
    ]


def summary() -> dict[str, Any]:
    """Return all counts of this machine: by name, by the reason for no suggestion, and by confidence."""
    file = JsonStore(_FILE)
    value = partial(_value, file)
    shown = value("shown")
    found = by_confidence()
    return {
        "since": _since(file.get("since")),
        **{name.replace(" ", "_"): value(name) for name in COUNTS},
        "acceptance": (value("accepted") + value("partly accepted")) / shown if shown else None,
        "nothing": {
            name.removeprefix("nothing: "): value(name) for name in sorted(file.names()) if _REASON.fullmatch(name)
        },
        "by_confidence": [
            {"from": tenth / _BINS, "shown": count.shown, "accepted": count.accepted}
            for tenth, count in enumerate(found)
        ],
        "calibration": shift(found),
    }


def to_text(found: dict[str, Any]) -> str:
    """Return the summary for a terminal."""
    if not (found["requests"] or found["edits_shown"]):
        return "Nothing was asked for yet."
    since = time.strftime("%Y-%m-%d", time.localtime(found["since"])) if found["since"] else "an unknown day"
    lines = [f"Since {since}, on this machine only:"]
    lines += [f"  {name:20} {found[name.replace(' ', '_')]:>9,}" for name in COUNTS]
    if found["acceptance"] is not None:
        lines.append(f"  {'acceptance':20} {found['acceptance']:>9.1%}")
    if found["calibration"]:
        default = Settings().min_confidence
        calibrated = min_confidence_for(default, found["calibration"])
        lines.append(f"  {f'minConfidence {default}':20} {calibrated:>9.2f} after calibration on this machine")
    lines += [f"  nothing, {reason:11} {count:>9,}" for reason, count in found["nothing"].items()]
    return "\n".join(lines)


def _value(file: JsonStore, name: str) -> int:
    return _count(file.get(name))


def _count(value: Any) -> int:
    """Return a value of the file if it is a count; else 0."""
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else 0


def _since(value: Any) -> float | None:
    """Return a value of the file if it is a time, in seconds since 1970."""
    return value if isinstance(value, float) and 0 < value < _MAX_TIME else None
