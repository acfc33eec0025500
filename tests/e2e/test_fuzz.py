"""Two thousand mutated messages to the real server; `nox -s fuzz` sends ten times as many, and hostile files too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fuzz.__main__ import tiny_bundle
from fuzz.finds import Tally
from fuzz.hostile_bundles import make_bundle, make_gguf
from fuzz.hostile_workspaces import make_workspace
from fuzz.message_run import run_messages
from fuzz.messages import case_of
from fuzz.server import FuzzedServer
from lengths import length

MESSAGES = length(2_000, 20_000)
PATIENCE = 60.0
"""Seconds after which an answer is not coming, on a machine that does much else."""
GROWTH = 1.5
"""Caches fill up in the first half of a run; what grows on is a leak."""


@pytest.mark.timeout(1800)
def test_every_message_is_answered_or_refused(tmp_path: Path) -> None:
    """No request is left, no message makes the server deaf or ends it, and memory does not grow without end."""
    with FuzzedServer(tiny_bundle(tmp_path / "bundle"), tmp_path, PATIENCE) as server:
        tally = run_messages(server, 0, MESSAGES, most_finds=5)
    assert [str(found) for found in tally.finds] == []
    assert tally.answered == MESSAGES
    assert tally.memory[-1] <= tally.memory[len(tally.memory) // 2] * GROWTH


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ([100, 101, 99, 102, 100, 101], "memory level: 100 101 99 102 100 101 MB, +10,000 bytes a case, +1.0% at most"),
        ([100, 120, 130, 130, 131, 130], "memory level: 100 120 130 130 131 130 MB, +0 bytes a case, +0.8% at most"),
        (
            [100, 102, 104, 106, 108, 109],
            "memory grows: 100 102 104 106 108 109 MB, +20,000 bytes a case, +4.8% at most",
        ),
        ([100, 100, 100, 100, 130, 100], "memory grows: 100 100 100 100 130 100 MB, +0 bytes a case, +30.0% at most"),
        ([100, 200, 300], "memory 100 200 300 MB"),
    ],
    ids=["noise", "kept early", "leak", "peak", "too few"],
)
def test_a_run_says_whether_memory_is_level(readings: list[int], verdict: str) -> None:
    """What grows makes the run fail: a little with each case, or much at once."""
    tally = Tally("workspaces", cases_a_reading=100, memory=[reading * 1e6 for reading in readings], leak=15_000)
    assert str(tally).endswith(f"no finds; {verdict}")
    assert tally.is_sound == ("grows" not in verdict)


@pytest.mark.skipif(os.name == "nt", reason="hostile folders have pipes and links")
def test_a_seed_is_a_case(tmp_path: Path) -> None:
    """What a find prints repeats it: the same seed makes the same message, bundle, file and workspace."""
    assert case_of(160) == case_of(160)
    sound = tiny_bundle(tmp_path / "sound")
    assert make_bundle(sound, tmp_path / "one", 5) == make_bundle(sound, tmp_path / "other", 5)
    assert make_gguf(tmp_path / "one.gguf", 8) == make_gguf(tmp_path / "other.gguf", 8)
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "other.gguf").read_bytes()
    assert make_workspace(tmp_path / "here", 3) == make_workspace(tmp_path / "there", 3)
