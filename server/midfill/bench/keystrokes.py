"""The replay's figures: the same keystrokes typed into the language server and the peer, scene by scene in turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midfill.bench.figures import Figure, Wanted, ratio_of
from midfill.bench.in_process import InProcess, Loaded
from midfill.bench.plan import Plan
from midfill.bench.replay import Stroke, Suggester, accept, answer_percentile, play, share_right_within
from midfill.bench.scenes import Scene, rhythm
from midfill.common.cancel import CancelFlag
from midfill.completion.types import Request

if TYPE_CHECKING:
    from midfill.bench.peer_typing import PeerTyping

OnStage = Callable[[str], object]

_WRITING_WANTED = Wanted(1.8)
_SHARES = ((0.1, "within 100 ms"), (0.3, "within 300 ms"), (math.inf, "before the next keystroke"))
_PERCENTILES = ((50, "median"), (95, "95th percentile"))


@dataclass(frozen=True)
class Recording:
    """All keystrokes, in the order they were typed."""

    served: list[Stroke] = field(default_factory=list)
    """Into the language server."""
    counted: list[Stroke] = field(default_factory=list)
    """Into the same completer in this process, where the tokens it computes can be counted."""
    peer: list[Stroke] = field(default_factory=list)
    """Into the peer; empty without one."""


def record(
    scenes: Sequence[Scene], plan: Plan, server: Suggester, loaded: Loaded, peer: PeerTyping | None, progress: OnStage
) -> Recording:
    """Type every scene into each, one after the other."""
    recording = Recording()
    with InProcess(loaded) as in_process:
        for number, scene in enumerate(scenes):
            keys = scene.keys(plan.keys)
            pauses = rhythm(len(keys), plan.key_seconds, seed=number)
            progress(f"typing {len(keys)} keys into {scene.path} ({number + 1} of {len(scenes)})")
            recording.served.extend(play(scene, keys, pauses, server))
            if peer:
                recording.peer.extend(play(scene, keys, pauses, peer))
            recording.counted.extend(play(scene, keys, pauses, in_process))
    return recording


def figures(recording: Recording) -> list[Figure]:
    """Return what the keystrokes say; shares are of the keystrokes that leave something of their line to suggest."""
    ours, theirs = recording.served, recording.peer
    return [
        *(_right_within(seconds, name, ours, theirs) for seconds, name in _SHARES),
        *(_answered(percent, name, ours, theirs) for percent, name in _PERCENTILES),
        _compared(
            "tokens computed for a character accepted",
            "tokens",
            accept(recording.counted).tokens_per_character,
            accept(theirs).tokens_per_character,
            missing="nothing was accepted",
        ),
    ]


def writing(scenes: Sequence[Scene], plan: Plan, loaded: Loaded, peer: PeerTyping | None) -> Figure:
    """Time the writing of some of the replay's suggestions to their end, ours with guesses, in turns.

    Tokens over seconds of all requests, each without its first token, which comes with the prompt.
    """
    engine = loaded.new_engine()
    ours, theirs = _Writing(), _Writing()
    for scene in scenes:
        typed = ""
        for number, key in enumerate(scene.keys(plan.keys)):
            typed += key.text
            if number % plan.finished_every:
                continue
            text, offset = scene.before + typed + scene.after, len(scene.before + typed)
            done = engine.complete(Request(text=text, offset=offset, path=scene.path), CancelFlag())
            ours.add(done.tokens, done.milliseconds.get("decode", 0.0) / 1000)
            if peer:
                written = peer.complete(text, offset)
                theirs.add(written.tokens, written.seconds)
    return Figure(
        name="writing suggestions of the replay, with guesses",
        unit="tokens/s",
        value=ours.speed,
        peer=theirs.speed,
        ratio=ratio_of(ours.speed, theirs.speed),
        wanted=_WRITING_WANTED,
        note="" if ours.speed else "no suggestion had a second token",
    )


@dataclass
class _Writing:
    tokens: int = 0
    seconds: float = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """Take in a suggestion; its first token comes with the prompt."""
        if tokens > 1:
            self.tokens += tokens - 1
            self.seconds += seconds

    @property
    def speed(self) -> float | None:
        """Tokens a second; None if nothing was written."""
        return self.tokens / self.seconds if self.seconds else None


def _right_within(seconds: float, name: str, ours: Sequence[Stroke], peer: Sequence[Stroke]) -> Figure:
    share, other = (100 * share_right_within(strokes, seconds) if strokes else None for strokes in (ours, peer))
    return _compared(f"right suggestion {name}", "%", share, other)


def _answered(percent: float, name: str, ours: Sequence[Stroke], peer: Sequence[Stroke]) -> Figure:
    seconds = (answer_percentile(strokes, percent) for strokes in (ours, peer))
    value, other = (None if answer is None else 1000 * answer for answer in seconds)
    missing = f"less than {percent}% were answered before the next keystroke"
    return _compared(f"answer to a keystroke, {name}", "ms", value, other, missing)


def _compared(name: str, unit: str, ours: float | None, peer: float | None, missing: str = "") -> Figure:
    ratio = ratio_of(ours, peer)
    return Figure(name=name, unit=unit, value=ours, peer=peer, ratio=ratio, note=missing if ours is None else "")
