"""The suite ``needle``: how far back in a long prompt the model looks.

A function is defined at the start of a file and called N tokens later. The model has to continue the call with the name
of the next argument. Only the definition tells that name; code of the standard library is between the two. This is
"needle in a haystack" (Kamradt, 2023) for code.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from midfill.common.errors import EvalError
from midfill.completion.types import Request
from midfill.evals.report import Rate
from midfill.evals.runner import Complete, OnProgress

LENGTHS = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
"""Default numbers of tokens between definition and call."""
DEFAULT_NEEDLES = 4
"""Default number of needles for each length."""
RESERVED_TOKENS = 400
"""Tokens that are reserved for the definition, the call and the answer."""
ANSWER_TOKENS = 6
_NAMES = (
    ("mix_cobalt_ledger", "tide", "quorum", "lantern"),
    ("fold_amber_ticket", "harbour", "velvet", "decade"),
    ("trace_maple_signal", "orchid", "pepper", "glacier"),
    ("weigh_silver_parcel", "meadow", "copper", "falcon"),
    ("merge_quiet_window", "saddle", "violin", "thicket"),
    ("split_north_barrel", "walnut", "beacon", "ripple"),
    ("count_hollow_spoon", "linen", "pillar", "comet"),
    ("order_crimson_ferry", "pebble", "anchor", "willow"),
)
MAX_NEEDLES = len(_NAMES)
HAY_FILES = 400
"""Number of files that the text between definition and call is taken from; more than is needed."""

Count = Callable[[str], int]
"""Counts the tokens of a text."""


@dataclass(frozen=True, kw_only=True)
class Needle:
    """A document whose last line calls the function that its first lines define."""

    length: int
    """Approximate number of tokens between definition and call."""
    text: str
    """The document up to the cursor."""
    expected: str
    """The beginning of a right answer."""


@dataclass(frozen=True, kw_only=True)
class NeedleResult:
    """The result of one needle."""

    length: int
    prompt_tokens: int
    expected: str
    completion: str
    found: bool
    seconds: float
    """Time of prefill and generation."""


@dataclass(frozen=True, kw_only=True)
class NeedleReport:
    """The results for all lengths."""

    model: str
    rows: tuple[NeedleResult, ...]
    too_long: tuple[int, ...] = ()
    """Lengths that were not run because the model's context is shorter."""

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with every result if ``rows``."""
        summary: dict[str, Any] = {
            "suite": "needle",
            "model": self.model,
            "too_long": list(self.too_long),
            "lengths": [
                {
                    "length": length,
                    "needles": len(results),
                    "found": Rate(sum(row.found for row in results), len(results)).to_json(),
                    "prompt_tokens": statistics.median(row.prompt_tokens for row in results),
                    "seconds": statistics.median(row.seconds for row in results),
                }
                for length, results in self._by_length().items()
            ],
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a table for a terminal."""
        lines = [f"needle: model {self.model}", "  tokens between   found     prompt    seconds"]
        for length, results in self._by_length().items():
            found = sum(row.found for row in results)
            prompt = statistics.median(row.prompt_tokens for row in results)
            seconds = statistics.median(row.seconds for row in results)
            lines.append(f"  {length:>14,}   {found} of {len(results)}   {prompt:>8,.0f}   {seconds:>8.1f}")
        lines += [f"  {length:>14,}   is longer than the model's context" for length in self.too_long]
        return "\n".join(lines)

    def _by_length(self) -> dict[int, list[NeedleResult]]:
        lengths = dict.fromkeys(row.length for row in self.rows)
        return {length: [row for row in self.rows if row.length == length] for length in lengths}


def needles(length: int, count: int, sources: Sequence[str], tokens_of: Count) -> list[Needle]:
    """Return ``count`` needles, each with its own names and its own text between definition and call.

    Args:
        length: number of tokens between definition and call, to within a twentieth.
        count: number of needles, at most ``MAX_NEEDLES``.
        sources: texts of Python files, for the text between definition and call.
        tokens_of: counts tokens.

    Raises:
        EvalError: the sources have fewer tokens than ``length``.
    """
    made = []
    for number, (name, first, second, third) in enumerate(_NAMES[:count]):
        definition = f"def {name}({first}, {second}, {third}):\n    return {first} - {second} * {third}\n\n\n"
        call = f"\n\nresult = {name}({first}=1, "
        made.append(
            Needle(
                length=length,
                text=definition + _hay(length, sources[number % len(sources) :], tokens_of) + call,
                expected=f"{second}=",
            )
        )
    return made


def run(complete: Complete, made: Sequence[Needle], too_long: Sequence[int], progress: OnProgress) -> NeedleReport:
    """Request the next argument of each call."""
    rows = []
    model = ""
    for done, needle in enumerate(made, start=1):
        request = Request(
            text=needle.text,
            offset=len(needle.text),
            path=f"needle{done}.py",
            language="python",
            max_lines=1,
            max_tokens=ANSWER_TOKENS,
        )
        started = time.perf_counter()
        completion = complete(request)
        seconds = time.perf_counter() - started
        model = completion.model
        rows.append(
            NeedleResult(
                length=needle.length,
                prompt_tokens=completion.prompt_tokens,
                expected=needle.expected,
                completion=completion.text,
                found=completion.text.replace(" ", "").startswith(needle.expected),
                seconds=seconds,
            )
        )
        progress(done, len(made))
    return NeedleReport(model=model, rows=tuple(rows), too_long=tuple(too_long))


def _hay(length: int, sources: Sequence[str], tokens_of: Count) -> str:
    """Return the first whole lines of ``sources`` that have ``length`` tokens together."""
    lines: list[str] = []
    tokens = 0
    for source in sources:
        for line in source.splitlines(keepends=True):
            tokens += tokens_of(line)
            lines.append(line)
            if tokens >= length:
                return "".join(lines)
    raise EvalError(f"the Python files on this machine have fewer than {length} tokens: use smaller --lengths.")
