"""`midfill stats --html`: one page of plots, by week and by language, each with a table of its values.

The page needs nothing else: no network, no script, no font. It has no text of documents, and no path.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from midfill.common.plot import bar_chart
from midfill.outcomes.weekly import CHARACTERS, Counts, Weeks, total, within

_MAX_ROWS = 26
"""Maximum number of rows of a plot: the latest weeks, or the languages that were asked about most."""
_REASONS = 5
"""Number of reasons that have a bar of their own."""
_OTHERS = "other reasons"
_NOTHING = "nothing: "
_SHARES = {"half of them within": 0.5, "nine of ten within": 0.9}
_STYLE = """
body{font-family:sans-serif;line-height:1.5;max-width:72rem;margin:0 auto;padding:1rem;background:#fff;color:#222}
section{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem;align-items:start}
h2,.note{grid-column:1/-1;margin-bottom:0}
figure,svg{margin:0;width:100%;height:auto}
.scrolls{overflow-x:auto}
table{border-collapse:collapse}
caption{text-align:left;font-weight:bold}
th,td{padding:.2rem .6rem;border-bottom:1px solid #ccc;text-align:right}
th:first-child{text-align:left;white-space:nowrap}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#ddd}th,td{border-color:#444}}
"""


@dataclass(frozen=True)
class _Plot:
    """Values by row and by bar, as a plot and a table show them; None is a value that is not known."""

    title: str
    note: str
    unit: str
    rows: Mapping[str, Mapping[str, float | None]]


def page(weeks: Weeks, now: float) -> str:
    """Return the page as HTML.

    Args:
        weeks: the counts of this machine.
        now: the time that the page names, in seconds since 1970.
    """
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    parts = [
        f"<p>Counted on this machine only. The page was made on {made}, and loads nothing.</p>",
        *(_section(plot) for plot in _plots(weeks)),
    ]
    if not weeks:
        parts.append("<p>Nothing was counted yet: complete something in your editor, then make the page again.</p>")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>Midfill: statistics</title><style>{_STYLE}</style></head>",
            "<body><main><h1>Midfill: statistics</h1>",
            *parts,
            "</main></body></html>",
            "",
        ]
    )


def _plots(weeks: Weeks) -> list[_Plot]:
    """Return the plots that have a value: of characters, times and reasons, each by week and by language."""
    by_week = {week: total(list(languages.values())) for week, languages in list(weeks.items())[-_MAX_ROWS:]}
    names = {language for languages in weeks.values() for language in languages}
    by_language = {name: total([languages.get(name, {}) for languages in weeks.values()]) for name in names}
    busiest = sorted(by_language, key=lambda name: (-by_language[name]["requests"], name))[:_MAX_ROWS]
    found = []
    for grouping, groups in (("week", by_week), ("language", {name: by_language[name] for name in busiest})):
        kinds: tuple[tuple[str, str, str, Callable[[Counts], Mapping[str, float | None]]], ...] = (
            (
                "Characters suggested, accepted and kept",
                "Kept are the accepted characters that are still in the document half a minute later.",
                "",
                _characters,
            ),
            (
                "Time until a suggestion",
                "From the request to the suggestion, rounded up. Suggestions from the cache take no time.",
                " ms",
                _times,
            ),
            (
                "Reasons for silence",
                "Requests without a suggestion, by the reason codes of `midfill why`.",
                "",
                _by_reason(total(list(groups.values()))),
            ),
        )
        for title, note, unit, values_of in kinds:
            rows = {name: values_of(counts) for name, counts in groups.items()}
            if any(value for row in rows.values() for value in row.values()):
                found.append(_Plot(f"{title}, by {grouping}", note, unit, rows))
    return found


def _characters(counts: Counts) -> Mapping[str, float | None]:
    words = ("suggested", "accepted", "kept")
    return {word: counts.get(name, 0) for word, name in zip(words, CHARACTERS, strict=True)}


def _times(counts: Counts) -> Mapping[str, float | None]:
    return {words: within(counts, share) for words, share in _SHARES.items()}


def _by_reason(all_counts: Counts) -> Callable[[Counts], Mapping[str, float | None]]:
    """Return what tells the commonest reasons apart, and adds up the others."""
    reasons = Counter({name: amount for name, amount in all_counts.items() if name.startswith(_NOTHING)})
    common = [name for name, _ in reasons.most_common(_REASONS)]
    rest = [name for name in reasons if name not in common]

    def values(counts: Counts) -> Mapping[str, float | None]:
        found = {name.removeprefix(_NOTHING): counts.get(name, 0) for name in common}
        return {**found, _OTHERS: sum(counts.get(name, 0) for name in rest)} if rest else found

    return values


def _section(plot: _Plot) -> str:
    known = {name: {bar: value for bar, value in row.items() if value is not None} for name, row in plot.rows.items()}
    return (
        f'<section><h2>{escape(plot.title)}</h2><p class="note">{escape(plot.note)}</p>\n'
        f"<figure>{bar_chart(plot.title, known, plot.unit)}</figure>\n{_table(plot)}</section>"
    )


def _table(plot: _Plot) -> str:
    bars = list(dict.fromkeys(bar for row in plot.rows.values() for bar in row))
    head = "".join(f'<th scope="col">{escape(bar)}</th>' for bar in bars)
    lines = [
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{_cell(row.get(bar), plot.unit)}</td>" for bar in bars)
        + "</tr>"
        for name, row in plot.rows.items()
    ]
    return (
        f'<div class="scrolls" tabindex="0" role="region" aria-label="{escape(plot.title)}, as a table"><table>'
        f"<caption>{escape(plot.title)}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(value: float | None, unit: str) -> str:
    return "not known" if value is None else f"{value:,.0f}{unit}"
