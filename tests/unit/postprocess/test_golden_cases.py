"""Golden cases: from the generated text to the suggestion, through all filters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from midfill.code.languages import language_of
from midfill.postprocess import (
    DROPS,
    begin,
    changes_at_begin,
    find_stop,
    finish,
    indentation_of,
    nearby,
    place_of,
)
from midfill.postprocess.stops import STOPS
from midfill.postprocess.trims import TRIMS
from midfill.prompt.context import Context
from unit.helpers import context

CODES = {
    *STOPS, "statement", "lines",
    *TRIMS, "start",
    "indentation", "cursor", "blank-lines", "merge",
    *DROPS, "placeholder", "too-short", "empty-comment", "path", "syntax",
}  # fmt: skip
"""The codes of all filters."""


@dataclass(frozen=True, kw_only=True)
class GoldenCase:
    """One case of ``golden_cases.yaml``, which explains the fields."""

    name: str
    language: str
    document: str
    generated: str
    filters: list[str]
    expected: str = ""
    reason: str = ""
    replaces: str = ""
    trigger: str = "automatic"
    cut_short: bool = False
    max_lines: int = 12


CASES = [
    GoldenCase(**case) for case in yaml.safe_load(Path(__file__).with_name("golden_cases.yaml").read_text("utf-8"))
]


def stream(case: GoldenCase, around: Context) -> tuple[str, str, list[str]]:
    """Generate the case's text character by character, until a stop ends it.

    Returns:
        The generated text, the text after the stop, and the code of the stop, if there is one.
    """
    automatic = case.trigger == "automatic"
    place = place_of(around, language_of("", case.language)) if automatic else ""
    raw = text = ""
    for character in case.generated:
        raw += character
        text = begin(raw, around, indentation_of(around))
        if ending := find_stop(text, around, case.max_lines, one_statement=automatic, place=place):
            return raw, text[: ending.end], [ending.code]
    return raw, text, []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_golden_case(case: GoldenCase) -> None:
    """The suggestion or its reason code, the text it replaces, and every filter that acted are as in the case."""
    around = nearby(context(case.document))
    raw, text, stops = stream(case, around)
    finished = finish(
        text,
        around,
        automatic=case.trigger == "automatic",
        language=case.language,
        placeholders=around.placeholders,
        cut_short=case.cut_short,
    )
    changes = (*changes_at_begin(raw, around, indentation_of(around)), *finished.changes)
    assert (finished.text, finished.reason) == (case.expected, case.reason)
    assert around.line_suffix[: finished.replaces] == case.replaces
    assert [*stops, *(code for code, _ in changes)] == case.filters


def test_cases_cover_every_filter() -> None:
    """Each code occurs in a case, each name is unique, and the cases are in many languages."""
    assert {code for case in CASES for code in case.filters} == CODES
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert len({case.language for case in CASES}) >= 8
