"""``midfill bench``: what this machine does with this bundle, each figure the median of several runs.

The text is the standard library's own source, so that anyone can repeat it.
"""

from __future__ import annotations

import statistics
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from tokenizers import Tokenizer

from midfill.bundle import load_bundle
from midfill.cancel import CancelFlag, Cancelled
from midfill.completion import Completion, Request
from midfill.decode import PREFILL_CHUNK
from midfill.engine import Engine, load_engine
from midfill.kv_cache import KvCache
from midfill.model import Model, OnnxModel
from midfill.settings import Settings

PREFILLS = (256, 1024, 4096)
CONTEXTS = (256, 2048)
STEPS = (1, 2, 4, 8, 16, 32)
_RUNS = 3
_DECODED = 16
_CANCEL_AFTER = 0.05
_SOURCES = ("argparse.py", "textwrap.py", "json/decoder.py", "dataclasses.py", "heapq.py", "statistics.py")


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str


Progress = Callable[[str], object]


def run(
    settings: Settings,
    progress: Progress = lambda _: None,
    prefills: Sequence[int] = PREFILLS,
    contexts: Sequence[int] = CONTEXTS,
) -> list[Figure]:
    """Measure everything, telling each stage: prompts of ``prefills`` and decoding after ``contexts`` tokens.

    Raises:
        BundleError, ModelError: as :func:`midfill.engine.load_engine`.
    """
    progress("loading")
    started = time.perf_counter()
    engine = load_engine(settings)
    figures = [
        Figure("load", time.perf_counter() - started, "s"),
        Figure("resident memory after load", psutil.Process().memory_info().rss / 1e6, "MB"),
    ]
    progress("first token and speculation")
    figures += _engine_figures(engine, load_engine(replace(settings, draft_tokens=0)))
    del engine
    bundle = load_bundle(settings.bundle)
    model = OnnxModel(bundle.graph, bundle.manifest.kv, settings.threads)
    tokens = _source_tokens(Tokenizer.from_file(str(bundle.tokenizer)), max(*prefills, *contexts) + max(STEPS))
    progress("prefill")
    figures += [Figure(f"prefill of {n} tokens", n / _prefill_seconds(model, tokens[:n]), "tokens/s") for n in prefills]
    progress("decode")
    figures += [
        Figure(f"decode after {n} tokens", 1 / _step_seconds(model, tokens, n, 1, _DECODED), "tokens/s")
        for n in contexts
    ]
    progress("steps")
    figures += [
        Figure(
            f"step of {n} tokens after {contexts[0]}", _step_seconds(model, tokens, contexts[0], n, _RUNS) * 1000, "ms"
        )
        for n in STEPS
    ]
    progress("cancel")
    figures.append(Figure("stop after a cancel", _cancel_seconds(model, tokens[:PREFILL_CHUNK]) * 1000, "ms"))
    return figures


def to_text(figures: Sequence[Figure]) -> str:
    """Lay the figures out for a person."""
    width = max(len(figure.name) for figure in figures)
    return "\n".join(f"{f.name:<{width}}  {f.value:>8.1f} {f.unit}" for f in figures)


def to_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Lay the figures out for a program."""
    return [asdict(figure) for figure in figures]


def _engine_figures(engine: Engine, plain: Engine) -> list[Figure]:
    """Time to the first token, cold and with a warm prefix; time a token, without guesses and with."""
    cold, warm = [], []
    seconds = {"without guesses": 0.0, "with guesses": 0.0}
    tokens = 0
    for name, text in _sources():
        middle = text.index("\n", len(text) // 2) + 1
        first = _complete(engine, name, text, middle)
        again = _complete(engine, name, f"{text[:middle]}x{text[middle:]}", middle + 1)
        cold.append(first.milliseconds["prefill"])
        warm.append(again.milliseconds["prefill"])
        guessed, greedy = (_complete(each, name, text, middle) for each in (engine, plain))
        seconds["with guesses"] += guessed.milliseconds["decode"] / 1000
        seconds["without guesses"] += greedy.milliseconds["decode"] / 1000
        tokens += greedy.tokens
    return [
        Figure("first token, cold", statistics.median(cold), "ms"),
        Figure("first token, one character typed", statistics.median(warm), "ms"),
        *(Figure(f"suggestions {how}", tokens / spent, "tokens/s") for how, spent in seconds.items()),
    ]


def _complete(engine: Engine, name: str, text: str, offset: int) -> Completion:
    return engine.complete(Request(text=text, offset=offset, path=name), CancelFlag())


def _prefill_seconds(model: Model, tokens: Sequence[int]) -> float:
    return statistics.median(
        _timed(partial(model.step, tokens, cache, 1, CancelFlag())) for cache in _caches(model, tokens)
    )


def _caches(model: Model, tokens: Sequence[int]) -> Iterator[KvCache]:
    return (model.new_cache(len(tokens)) for _ in range(_RUNS))


def _step_seconds(model: Model, tokens: Sequence[int], context: int, new: int, runs: int) -> float:
    """Time steps of ``new`` tokens that each follow the same ``context`` tokens."""
    cache = model.new_cache(context + new)
    model.step(tokens[:context], cache, 1, CancelFlag())

    def step() -> None:
        cache.truncate(context)
        model.step(tokens[context : context + new], cache, new, CancelFlag())

    return statistics.median(_timed(step) for _ in range(runs))


def _cancel_seconds(model: Model, tokens: Sequence[int]) -> float:
    """Time from setting the flag in the middle of a prefill's step until it has ended."""
    waits = []
    for cache in _caches(model, tokens):
        flag = CancelFlag()
        set_at: list[float] = []

        def cancel(flag: CancelFlag = flag, set_at: list[float] = set_at) -> None:
            set_at.append(time.perf_counter())
            flag.set("cancelled")

        timer = threading.Timer(_CANCEL_AFTER, cancel)
        timer.start()
        try:
            model.step(tokens, cache, 1, flag)
        except Cancelled:
            waits.append(time.perf_counter() - set_at[0])
        timer.cancel()
    return statistics.median(waits) if waits else 0.0


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _sources() -> list[tuple[str, str]]:
    library = Path(sysconfig.get_path("stdlib"))
    return [(name, (library / name).read_text(encoding="utf-8")) for name in _SOURCES]


def _source_tokens(tokenizer: Tokenizer, count: int) -> list[int]:
    ids: list[int] = []
    for _, text in _sources():
        ids += tokenizer.encode(text, add_special_tokens=False).ids
    return ids[:count]
