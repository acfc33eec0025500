"""The figures of the replay: the same keystrokes are typed into the language server and the peer, in turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midfill.bench.figures import Figure, Wanted, ratio_of
from midfill.bench.in_process import InProcess, LoadedBundle
from midfill.bench.kept import KeptCharacters, Offer, count_kept
from midfill.bench.plan import Plan
from midfill.bench.replay import Keystroke, Suggester, answer_percentile, play, share_right_within, simulate_acceptance
from midfill.bench.scenes import Scene, typing_pauses
from midfill.common.cancel import CancelFlag
from midfill.completion.types import Request

if TYPE_CHECKING:
    from midfill.bench.peer_typing import PeerTyping

OnStage = Callable[[str], object]

_GENERATION_WANTED = Wanted(1.8)
_SHARES = ((0.1, "within 100 ms"), (0.3, "within 300 ms"), (math.inf, "before the next keystroke"))
_PERCENTILES = ((50, "median"), (95, "95th percentile"))


@dataclass(frozen=True)
class Recording:
    """All keystrokes, in the order in which they were typed."""

    served: list[Keystroke] = field(default_factory=list)
    """Typed into the language server."""
    counted: list[Keystroke] = field(default_factory=list)
    """Typed into the same completer in this process, where the computed tokens can be counted."""
    peer: list[Keystroke] = field(default_factory=list)
    """Typed into the peer; empty without one."""


def record(
    scenes: Sequence[Scene],
    plan: Plan,
    server: Suggester,
    loaded: LoadedBundle,
    peer: PeerTyping | None,
    progress: OnStage,
) -> Recording:
    """Type every scene into the server, the peer and the completer of this process, one after the other."""
    recording = Recording()
    with InProcess(loaded) as in_process:
        for number, scene in enumerate(scenes):
            keys = scene.keys(plan.keys)
            pauses = typing_pauses(len(keys), plan.key_seconds, seed=number)
            progress(f"typing {len(keys)} keys into {scene.path} ({number + 1} of {len(scenes)})")
            recording.served.extend(play(scene, keys, pauses, server))
            if peer:
                recording.peer.extend(play(scene, keys, pauses, peer))
            recording.counted.extend(play(scene, keys, pauses, in_process))
    return recording


def figures(recording: Recording) -> list[Figure]:
    """Return the figures of a recording. Shares are of the keystrokes that leave a part of their line to suggest."""
    ours, theirs = recording.served, recording.peer
    return [
        *(_right_within(seconds, name, ours, theirs) for seconds, name in _SHARES),
        *(_answered(percent, name, ours, theirs) for percent, name in _PERCENTILES),
        _compared(
            "tokens computed per accepted character",
            "tokens",
            simulate_acceptance(recording.counted).tokens_per_character,
            simulate_acceptance(theirs).tokens_per_character,
            missing="no suggestion was accepted",
        ),
        _kept("suggested", lambda kept: kept.of_suggested, ours, theirs),
        _kept("accepted", lambda kept: kept.of_accepted, ours, theirs),
    ]


def generation(scenes: Sequence[Scene], plan: Plan, loaded: LoadedBundle, peer: PeerTyping | None) -> Figure:
    """Measure how fast some of the replay's suggestions are generated to their end, in turns; Midfill uses drafts.

    The figure is the tokens of all requests divided by their seconds. The first token of each request is left out,
    because the prefill computes it.
    """
    engine = loaded.new_engine()
    ours, theirs = _Generated(), _Generated()
    for scene in scenes:
        typed = ""
        for number, key in enumerate(scene.keys(plan.keys)):
            typed += key.text
            if number % plan.generated_every:
                continue
            text, offset = scene.before + typed + scene.after, len(scene.before + typed)
            done = engine.complete(Request(text=text, offset=offset, path=scene.path), CancelFlag())
            ours.add(done.tokens, done.milliseconds.get("decode", 0.0) / 1000)
            if peer:
                suggestion = peer.complete(text, offset)
                theirs.add(suggestion.tokens, suggestion.seconds)
    return Figure(
        name="generation of the replay's suggestions, with drafts",
        unit="tokens/s",
        value=ours.speed,
        peer=theirs.speed,
        ratio=ratio_of(ours.speed, theirs.speed),
        wanted=_GENERATION_WANTED,
        note="" if ours.speed else "no suggestion had a second token",
    )


@dataclass
class _Generated:
    tokens: int = 0
    seconds: float = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """Add a suggestion of ``tokens`` tokens; ``seconds`` is the time of all but the first."""
        if tokens > 1:
            self.tokens += tokens - 1
            self.seconds += seconds

    @property
    def speed(self) -> float | None:
        """Tokens per second; None if nothing was generated."""
        return self.tokens / self.seconds if self.seconds else None


def _right_within(seconds: float, name: str, ours: Sequence[Keystroke], peer: Sequence[Keystroke]) -> Figure:
    share, other = (100 * share_right_within(strokes, seconds) if strokes else None for strokes in (ours, peer))
    return _compared(f"right suggestion {name}", "%", share, other)


def _answered(percent: float, name: str, ours: Sequence[Keystroke], peer: Sequence[Keystroke]) -> Figure:
    seconds = (answer_percentile(strokes, percent) for strokes in (ours, peer))
    value, other = (None if answer is None else 1000 * answer for answer in seconds)
    missing = f"fewer than {percent}% of the keystrokes were answered before the next one"
    return _compared(f"answer to a keystroke, {name}", "ms", value, other, missing)


def _kept(
    what: str,
    share_of: Callable[[KeptCharacters], float | None],
    ours: Sequence[Keystroke],
    peer: Sequence[Keystroke],
) -> Figure:
    shares = (
        share_of(count_kept(Offer(each.following, each.suggestion) for each in strokes)) for strokes in (ours, peer)
    )
    value, other = (None if share is None else 100 * share for share in shares)
    return _compared(f"{what} characters that are kept", "%", value, other, missing=f"no character was {what}")


def _compared(name: str, unit: str, ours: float | None, peer: float | None, missing: str = "") -> Figure:
    ratio = ratio_of(ours, peer)
    return Figure(name=name, unit=unit, value=ours, peer=peer, ratio=ratio, note=missing if ours is None else "")
