"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Lengths in tokens, and how often."""

    runs: int = 3
    """Of each figure; what is told is their median."""
    starts: int = 3
    """Of the servers' processes."""
    prefills: tuple[int, ...] = (256, 1024, 4096)
    contexts: tuple[int, ...] = (256, 2048, 4096)
    decoded: int = 32
    """Tokens written after a context."""
    steps: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    cancelled: int = 1024
    """Of the prompt whose reading is cancelled, if that is long enough."""
    keys_to_first_token: int = 16
    """Keystrokes after each of which the first token is timed, in each scene."""
    scenes: int = 6
    """Documents typed into."""
    keys: int = 60
    """Keystrokes in each."""
    finished_every: int = 6
    """Of how many keystrokes one has its suggestion written to its end, to time the writing."""
    key_seconds: float = 0.2
    """From one keystroke to the next: 60 words, of five letters and a space, are 300 keystrokes a minute."""


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
    finished_every=12,
)
"""For a look, or a test: under a minute without a peer."""
