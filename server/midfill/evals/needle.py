"""How far back a model looks: a function defined N tokens before its call, whose next argument is asked for.

Between the two stand functions of the standard library. The words are drawn so that nothing but the definition says
which argument comes next (after "needle in a haystack", Kamradt 2023, in the form that code has it).
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
"""Tokens between definition and call."""
DEFAULT_NEEDLES = 4
"""Needles for each length."""
RESERVED_TOKENS = 400
"""Tokens for the definition, the call and the answer, besides what is between."""
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
"""Files to take what is between from, more than is needed."""

Count = Callable[[str], int]
"""A text -> its tokens."""


@dataclass(frozen=True, kw_only=True)
class Needle:
    """A document whose last line calls what its first lines define."""

    length: int
    """Tokens between the two, about."""
    text: str
    """Up to where the answer belongs."""
    expected: str


@dataclass(frozen=True, kw_only=True)
class NeedleResult:
    """What came of one."""

    length: int
    prompt_tokens: int
    expected: str
    completion: str
    found: bool
    seconds: float
    """To read all and write the answer."""


@dataclass(frozen=True, kw_only=True)
class NeedleReport:
    """The results for all lengths."""

    model: str
    rows: tuple[NeedleResult, ...]
    too_long: tuple[int, ...] = ()
    """Lengths beyond the model's context, which were left out."""

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return what JSON can hold, with every needle if ``rows``."""
        summary: dict[str, Any] = {
            "suite": "needle",
            "model": self.model,
            "too_long": list(self.too_long),
            "lengths": [
                {
                    "length": length,
                    "needles": len(some),
                    "found": Rate(sum(row.found for row in some), len(some)).to_json(),
                    "prompt_tokens": statistics.median(row.prompt_tokens for row in some),
                    "seconds": statistics.median(row.seconds for row in some),
                }
                for length, some in self._by_length().items()
            ],
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a table for a terminal."""
        lines = [f"needle: model {self.model}", "  tokens between   found     prompt    seconds"]
        for length, some in self._by_length().items():
            found = sum(row.found for row in some)
            prompt = statistics.median(row.prompt_tokens for row in some)
            seconds = statistics.median(row.seconds for row in some)
            lines.append(f"  {length:>14,}   {found} of {len(some)}   {prompt:>8,.0f}   {seconds:>8.1f}")
        lines += [f"  {length:>14,}   is more than the model's context" for length in self.too_long]
        return "\n".join(lines)

    def _by_length(self) -> dict[int, list[NeedleResult]]:
        lengths = dict.fromkeys(row.length for row in self.rows)
        return {length: [row for row in self.rows if row.length == length] for length in lengths}


def needles(length: int, count: int, sources: Sequence[str], tokens_of: Count) -> list[Needle]:
    """Return ``count`` needles, each with other words and in other hay, ``length`` tokens of it to within a twentieth.

    Args:
        length: tokens between definition and call.
        count: how many, up to ``MAX_NEEDLES``.
        sources: Python files to take what stands between from.
        tokens_of: counts tokens.

    Raises:
        EvalError: there is not enough of the sources.
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
    """Ask for the next argument of each call."""
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
    """Return whole lines of ``sources``, one after the other, of about ``length`` tokens."""
    lines: list[str] = []
    tokens = 0
    for source in sources:
        for line in source.splitlines(keepends=True):
            tokens += tokens_of(line)
            lines.append(line)
            if tokens >= length:
                return "".join(lines)
    raise EvalError(f"There are not {length} tokens of source files here to hide a definition behind.")
