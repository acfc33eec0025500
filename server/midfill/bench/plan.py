"""The plan of a benchmark: how much is measured, and how often."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a benchmark measures."""

    runs: int = 3
    """Number of runs of each figure. The report has their median."""
    starts: int = 3
    """Number of times that each process is started, to time its loading."""
    prefills: tuple[int, ...] = (256, 1024, 4096)
    """Prompt lengths, in tokens, whose prefill is timed."""
    contexts: tuple[int, ...] = (256, 2048, 4096)
    """Context lengths, in tokens, after which decoding is timed."""
    decoded: int = 32
    """Number of tokens decoded after each context."""
    steps: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Numbers of tokens that are computed in one step of the model, to time such a step."""
    cancelled: int = 1024
    """Length, in tokens, of the prompt whose prefill is cancelled. A longer one is used if this ends too early."""
    keys_to_first_token: int = 16
    """Number of keystrokes in each scene after which the first token is timed."""
    scenes: int = 6
    """Number of documents that are typed into."""
    keys: int = 60
    """Number of keystrokes in each document."""
    generated_every: int = 6
    """One of this many keystrokes has its suggestion generated to its end, to time the generation."""
    key_seconds: float = 0.2
    """Mean seconds from one keystroke to the next. 0.2 is 60 words a minute, of five letters and a space each."""


QUICK = Plan(
    runs=1,
    starts=1,
    prefills=(256, 512),
    contexts=(256, 512),
    decoded=8,
    steps=(1, 4, 16),
    keys_to_first_token=2,
    scenes=1,
    keys=12,
    generated_every=12,
)
"""The plan of ``--quick``: without a peer it takes less than a minute on an idle machine."""
