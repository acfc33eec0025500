"""The report of the suite ``edits``, as text and as JSON."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midfill.bench.figures import percentile
from midfill.evals.edits.asking import EXACT, FOUND, GIVEN, QUIET, SILENT, WRONG, EditResult
from midfill.evals.report import Rate

_THRESHOLDS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_TITLES: Mapping[str, str] = {GIVEN: "place given", FOUND: "place to be found", QUIET: "nothing left to change"}


@dataclass(frozen=True)
class EditScores:
    """The totals of some results; there is at least one result."""

    rows: Sequence[EditResult]

    @property
    def shown(self) -> Rate:
        """The share of questions after which an edit was shown."""
        return self._count(row.outcome != SILENT for row in self.rows)

    @property
    def exact(self) -> Rate:
        """The share of questions whose edit is exactly what the author did next."""
        return self._count(row.outcome == EXACT for row in self.rows)

    @property
    def exact_of_shown(self) -> Rate:
        """The share of edits shown that are exactly what the author did next."""
        return Rate(self.exact.count, self.shown.count)

    @property
    def silent(self) -> Rate:
        """The share of questions after which nothing was shown."""
        return self._count(row.outcome == SILENT for row in self.rows)

    @property
    def wrong(self) -> Rate:
        """The share of questions after which a wrong edit was shown."""
        return self._count(row.outcome == WRONG for row in self.rows)

    @property
    def found_first(self) -> Rate:
        """The share of questions whose first place reaches a hunk that is left."""
        return self._count(row.rank == 1 for row in self.rows)

    @property
    def found(self) -> Rate:
        """The share of questions one of whose places reaches a hunk that is left."""
        return self._count(row.rank is not None for row in self.rows)

    @property
    def similarity(self) -> float | None:
        """The mean similarity of the edits shown, from 0 to 1; None if there is none."""
        found = [row.similarity for row in self.rows if row.similarity is not None]
        return statistics.fmean(found) if found else None

    @property
    def tokens_per_step(self) -> float | None:
        """Tokens generated in a step of the model; None if it made no step."""
        steps = sum(row.steps for row in self.rows)
        return sum(row.tokens for row in self.rows) / steps if steps else None

    def milliseconds(self, percent: float) -> float | None:
        """Return the time within which ``percent`` of the questions were answered."""
        return percentile([row.milliseconds for row in self.rows], percent)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as JSON values."""
        return {
            "asked": len(self.rows),
            "shown": self.shown.to_json(),
            "exact": self.exact.to_json(),
            "exact_of_shown": self.exact_of_shown.to_json(),
            "silent": self.silent.to_json(),
            "wrong": self.wrong.to_json(),
            "reversals": sum(row.is_reversal for row in self.rows),
            "similarity_of_shown": self.similarity,
            "milliseconds": {"p50": self.milliseconds(50), "p90": self.milliseconds(90)},
            "tokens": sum(row.tokens for row in self.rows),
            "tokens_per_step": self.tokens_per_step,
            "places_asked": sum(row.asked for row in self.rows),
            "reasons": dict(Counter(row.reason for row in self.rows if row.reason).most_common()),
        }

    def _count(self, marks: Iterable[bool]) -> Rate:
        return Rate(sum(marks), len(self.rows))


@dataclass(frozen=True, kw_only=True)
class EditsReport:
    """The results of all questions; there is at least one."""

    selection: str
    """Which tasks were asked about, in words."""
    model: str
    rows: Sequence[EditResult]

    @property
    def scores(self) -> dict[str, EditScores]:
        """The totals of each question, by its name."""
        return {
            question: EditScores(rows)
            for question in _TITLES
            if (rows := [row for row in self.rows if row.question == question])
        }

    def groups(self, question: str, attribute: str) -> dict[str, EditScores]:
        """Return the totals of a question by an attribute of the results, ``kind`` or ``language``."""
        rows = [row for row in self.rows if row.question == question]
        names = sorted({getattr(row, attribute) for row in rows})
        return {name: EditScores([row for row in rows if getattr(row, attribute) == name]) for name in names}

    def thresholds(self, *, guesses: bool) -> list[dict[str, float]]:
        """Return what would be shown at several values of the least confidence, of guesses or of what the model wrote.

        Only results without the gate tell it.
        """
        rows = [row for row in self.rows if row.outcome != SILENT and row.is_guess == guesses]
        given, quiet = ([row for row in rows if row.question == question] for question in (GIVEN, QUIET))
        return [
            {
                "min_confidence": least,
                "shown": len(shown := _sure(given, least)),
                "exact": sum(row.outcome == EXACT for row in shown),
                "quiet_changed": len(_sure(quiet, least)),
            }
            for least in _THRESHOLDS
        ]

    @property
    def _has_no_gate(self) -> bool:
        return all("gate" in row.left_out.split(", ") for row in self.rows)

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with the result of every question if ``rows``."""
        summary: dict[str, Any] = {"suite": "edits", "selection": self.selection, "model": self.model}
        for question, scores in self.scores.items():
            summary[question] = {
                **scores.to_json(),
                "kinds": {name: group.to_json() for name, group in self.groups(question, "kind").items()},
                "languages": {name: group.to_json() for name, group in self.groups(question, "language").items()},
            }
        if FOUND in summary:
            scores = self.scores[FOUND]
            summary[FOUND] |= {"found_first": scores.found_first.to_json(), "found": scores.found.to_json()}
        if self._has_no_gate:
            summary["thresholds"] = {
                name: self.thresholds(guesses=guesses) for name, guesses in (("written", False), ("guessed", True))
            }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return some lines for a terminal."""
        lines = [f"edits: {self.selection}, model {self.model or 'unknown'}"]
        for question, scores in self.scores.items():
            lines += [f"  {_TITLES[question]}: {len(scores.rows)} asked", *_lines(question, scores)]
            for attribute in ("kind", "language"):
                groups = self.groups(question, attribute)
                lines += [_group_line(question, name, group) for name, group in groups.items() if len(groups) > 1]
        if self._has_no_gate:
            for title, guesses in (("written by the model", False), ("guessed", True)):
                lines += [
                    f"  {title}, with the gate at",
                    *map(_threshold_line, self.thresholds(guesses=guesses)),
                ]
        return "\n".join(lines)


def _sure(rows: Sequence[EditResult], least: float) -> list[EditResult]:
    return [row for row in rows if (row.confidence or 0.0) >= least]


def _lines(question: str, scores: EditScores) -> list[str]:
    reasons = Counter(row.reason for row in scores.rows if row.reason).most_common()
    said = ", ".join(f"{count} {reason}" for reason, count in reasons) or "never"
    pace = f", {scores.tokens_per_step:.1f} tokens a step" if scores.tokens_per_step else ""
    time = f"p50 {scores.milliseconds(50) or 0:.0f} ms, p90 {scores.milliseconds(90) or 0:.0f} ms{pace}"
    reversals = sum(row.is_reversal for row in scores.rows)
    if question == QUIET:
        lines = [f"    rightly silent   {scores.silent}", f"    wrongly changed  {scores.wrong}"]
    else:
        similarity = f"{scores.similarity:.1%}" if scores.similarity is not None else "none shown"
        lines = [
            f"    exact            {scores.exact}",
            f"    exact of shown   {scores.exact_of_shown if scores.shown.count else 'none shown'}",
            f"    wrong            {scores.wrong}",
            f"    similarity       {similarity}",
        ]
    if question == FOUND:
        lines = [f"    found first      {scores.found_first}", f"    found            {scores.found}", *lines]
    return [
        *lines,
        f"    reversals        {reversals}",
        f"    time             {time}",
        f"    silent           {said}",
    ]


def _group_line(question: str, name: str, group: EditScores) -> str:
    rate = f"{group.wrong.count:3} changed" if question == QUIET else f"{group.exact.count:3} exact"
    return f"      {name:<12} {len(group.rows):4} asked, {group.shown.count:3} shown, {rate}"


def _threshold_line(row: Mapping[str, float]) -> str:
    return (
        f"    {row['min_confidence']:4.2f}  {row['shown']:3.0f} shown, {row['exact']:3.0f} exact,"
        f" {row['quiet_changed']:3.0f} quiet windows changed"
    )
