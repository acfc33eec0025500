"""What the server counts for its operator, in Prometheus' text format. There is no text of anybody in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _counter(about: str) -> float:
    """Return a field of a dataclass for a count, with what the count is about."""
    made: float = field(default=0, metadata={"about": about})
    return made


@dataclass
class Metrics:
    """Counts since the server started. Each is changed by one thread at a time, or the counts may be a little low."""

    requests: float = _counter("Requests for text that were accepted.")
    requests_cancelled: float = _counter("Requests whose client left before the end of the answer.")
    requests_failed: float = _counter("Requests that ended with an error.")
    requests_refused: float = _counter("Requests that were refused because too many were waiting.")
    prompt_tokens: float = _counter("Tokens of the prompts that were computed to their ends.")
    prompt_tokens_reused: float = _counter("Tokens of these prompts that were found in a KV cache.")
    generation_tokens: float = _counter("Tokens generated.")
    prefill_seconds: float = _counter("Time in which prompts were computed, also those of cancelled requests.")
    decode_seconds: float = _counter("Time in which tokens were generated after the first one of each request.")

    def to_text(self, gauges: Mapping[str, tuple[int, str]]) -> str:
        """Return all counts, and ``gauges``: by name a value of now, and what it is about."""
        counters = {each.name: (getattr(self, each.name), each.metadata["about"]) for each in fields(self)}
        totals = {f"{name}_total": value for name, value in counters.items()}
        lines = [*_lines(totals, "counter"), *_lines(gauges, "gauge")]
        return "".join(f"{line}\n" for line in lines)


def _lines(values: Mapping[str, tuple[float, str]], kind: str) -> Iterator[str]:
    for name, (value, about) in values.items():
        yield f"# HELP midfill_{name} {about}"
        yield f"# TYPE midfill_{name} {kind}"
        yield f"midfill_{name} {value}"
