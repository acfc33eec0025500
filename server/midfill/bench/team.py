"""A team at one engine: simulated developers, each with a server process of their own, who all type at once.

Each developer opens a file of Python's standard library, reads for a moment, and types one of its functions again, at a
person's pace, with a pause for thought after each line. A level is the load of that many people who write in the same
minute. :mod:`midfill.bench.replay` says what an answer is, and which one is right. An answer later than the next
keystroke counts as none.
"""

from __future__ import annotations

import math
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from midfill.bench.engine_counts import EngineCounts, read_counts
from midfill.bench.figures import percentile
from midfill.bench.lsp_client import LspClient
from midfill.bench.replay import Keystroke, play, share_right_within
from midfill.bench.scenes import Scene, all_scenes, typing_pauses
from midfill.inference.bundle import TOKENIZER, load_tokenizer_bundle, write_manifest
from midfill.inference.tokenizer import ModelTokenizer, load_tokenizer
from midfill.remote.open_remote import access_of
from midfill.remote.server import Server
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import Settings

_STEPS = (1, 2, 5)
"""The numbers of developers that are tried, and these times each power of ten."""
_ANSWER_SECONDS = 15.0
"""How long an engine may take to say what it is."""


@dataclass(frozen=True, kw_only=True)
class TeamPlan:
    """How a team types."""

    keys: int = 60
    """Number of keystrokes of each developer at each level."""
    key_seconds: float = 0.2
    """Mean seconds from one keystroke to the next."""
    thought: float = 1.0
    """Mean seconds from the end of a line to the first key of the next one."""
    reading: float = 3.0
    """Seconds from opening a file to the first key."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """What a number of developers saw who typed at the same time."""

    developers: int
    strokes: Sequence[Keystroke] = field(repr=False)
    """The keystrokes of all of them."""
    seconds: float
    """From the first keystroke to the last one."""
    shown_tokens: int
    """Tokens of the suggestions that came before the next keystroke."""
    counts: EngineCounts | None
    """What the engine computed meanwhile; None if it does not say."""
    memory: float
    """Own memory of a developer's server process, in megabytes; the median."""

    @property
    def cancelled(self) -> int:
        """Number of requests that the next keystroke withdrew before they were answered."""
        return sum(not math.isfinite(stroke.seconds) for stroke in self.strokes)

    @property
    def answered(self) -> float:
        """Share of the requests that were answered before the next keystroke, 0 to 1."""
        return 1 - self.cancelled / max(len(self.strokes), 1)

    @property
    def right(self) -> float:
        """Share of the keystrokes with something left to suggest that got a right suggestion, 0 to 1."""
        return share_right_within(self.strokes, math.inf)

    def first_ms(self, percent: float) -> float | None:
        """Return a percentile of the milliseconds to a suggestion; None if none was shown."""
        return _milliseconds([stroke.seconds for stroke in self.strokes if stroke.suggestion], percent)

    def right_ms(self, percent: float) -> float | None:
        """Return a percentile of the milliseconds to a right suggestion; None if none was right."""
        return _milliseconds([stroke.seconds for stroke in self.strokes if stroke.is_right], percent)

    @property
    def reused(self) -> float | None:
        """Share of the prompts' tokens that the engine found in its cache, 0 to 1; None if it is unknown."""
        if self.counts is None or self.counts.reused is None or not self.counts.prompts:
            return None
        return self.counts.reused / self.counts.prompts

    @property
    def wasted(self) -> float | None:
        """Share of the engine's generated tokens that no developer saw, 0 to 1; None if it is unknown."""
        if self.counts is None or not self.counts.generated:
            return None
        return max(1 - self.shown_tokens / self.counts.generated, 0.0)


@dataclass(frozen=True)
class TeamReport:
    """All levels of one measurement."""

    engine: str
    """The engine's address and its name of the model."""
    plan: TeamPlan
    levels: list[Level]


def sizes(largest: int) -> list[int]:
    """Return the numbers of developers to try: 1, 2, 5, 10, 20, 50 and so on, and ``largest``."""
    tried = (step * 10**power for power in range(len(str(largest))) for step in _STEPS)
    return [*(size for size in tried if size < largest), largest]


def run(settings: Settings, largest: int, plan: TeamPlan, progress: Callable[[str], object]) -> TeamReport:
    """Measure up to ``largest`` developers at the engine that ``settings`` name.

    Raises:
        BundleError: the bundle cannot be used.
        RemoteUnavailable: the engine cannot be used.
        PolicyRefused: the administrators' policy forbids it.
        ServerEnded, BenchError: a developer's server process fails.
    """
    read_policy().require_engine(settings.engine)
    with _without_weights(settings) as remote, ExitStack() as stack:
        tokenizer = load_tokenizer(load_tokenizer_bundle(remote.bundle))
        engine = Server(access_of(remote), tokenizer)
        found, connection = engine.ready(_ANSWER_SECONDS)
        progress(f"starting {largest} servers")
        developers = _start(remote, largest, stack)
        scenes = all_scenes()
        levels = []
        for number, size in enumerate(sizes(largest)):
            progress(f"{size} {'developer types' if size == 1 else 'developers type'}")
            before = read_counts(connection.read)
            chosen = [scenes[(13 * number + 7 * person) % len(scenes)] for person in range(size)]
            level = _type(developers[:size], chosen, plan, tokenizer)
            after = read_counts(connection.read)
            levels.append(replace(level, counts=after.since(before) if after and before else None))
        return TeamReport(f"{engine}, {found.kind}, model {found.model or 'without a name'}", plan, levels)


@contextmanager
def _without_weights(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with a bundle that has no weights: no developer's server may compute anything itself."""
    bundle = load_tokenizer_bundle(settings.bundle)
    with TemporaryDirectory(prefix="midfill-team-") as folder:
        shutil.copyfile(bundle.tokenizer, Path(folder) / TOKENIZER)
        files = {TOKENIZER: bundle.manifest.files[TOKENIZER]}
        write_manifest(Path(folder), replace(bundle.manifest, files=files, folder=""))
        yield replace(settings, bundle=Path(folder), journal=False)


def _start(settings: Settings, number: int, stack: ExitStack) -> list[LspClient]:
    """Start some servers at once; all that have started are ended with ``stack``, also if one has not."""
    with ThreadPoolExecutor(number, thread_name_prefix="start") as threads:
        starting = [threads.submit(LspClient, settings) for _ in range(number)]
    for each in starting:
        if each.exception() is None:
            stack.enter_context(each.result())
    return [each.result() for each in starting]


def _type(developers: Sequence[LspClient], scenes: Sequence[Scene], plan: TeamPlan, tokenizer: ModelTokenizer) -> Level:
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(developers), thread_name_prefix="developer") as threads:
        typed = list(threads.map(_type_scene, developers, scenes, range(len(developers)), [plan] * len(developers)))
    strokes = [stroke for each in typed for stroke in each]
    return Level(
        developers=len(developers),
        strokes=strokes,
        seconds=time.perf_counter() - begun,
        shown_tokens=sum(len(tokenizer.encode(stroke.suggestion)) for stroke in strokes),
        counts=None,
        memory=statistics.median(developer.memory.own / 1e6 for developer in developers),
    )


def _type_scene(developer: LspClient, scene: Scene, seed: int, plan: TeamPlan) -> list[Keystroke]:
    keys = scene.keys(plan.keys)
    factor = plan.thought / plan.key_seconds
    pauses = [
        pause * (factor if key.text.startswith("\n") else 1)
        for key, pause in zip(keys, typing_pauses(len(keys), plan.key_seconds, seed), strict=True)
    ]
    time.sleep(random.Random(seed).uniform(0, plan.thought))  # noqa: S311 -- they do not all begin at once
    return play(scene, keys, pauses, developer, plan.reading)


def _milliseconds(seconds: Sequence[float], percent: float) -> float | None:
    found = percentile([each for each in seconds if math.isfinite(each)], percent)
    return None if found is None else 1000 * found
