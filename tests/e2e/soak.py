"""A day's typing in half an hour, and a day of deaths: `nox -s soak`; too long to be collected with the tests."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from e2e.deaths import MortalSession, counted
from e2e.long_session import Resources, Session
from e2e.raw_client import MIDFILL, RawClient
from memory_trend import MemoryTrend

REQUESTS = 2000
WARM_AFTER = 200
LIVES_NOISE = 1.03
"""Two servers of the same age differ by what their allocator has kept."""
LIBRARY = Path(sysconfig.get_path("stdlib"))
NAMES = ["argparse.py", "textwrap.py", "json/decoder.py", "dataclasses.py", "heapq.py", "statistics.py", "shlex.py"]
OPTIONS = {"shareEngine": False, "maxTokens": 16, "contextTokens": 512, "cacheMegabytes": 60, "warmUpMs": 20}


@pytest.mark.bundle
@pytest.mark.timeout(4 * 3600)
def test_two_thousand_requests(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is answered, and after the first 200 neither memory nor open files nor threads grow."""
    # Copies, for a Python may stand in a folder whose own .gitignore keeps Midfill out (pyenv's does).
    files = [Path(shutil.copy(LIBRARY / name, tmp_path)) for name in NAMES]
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options=OPTIONS)
        client.wait_until_loaded()
        session = Session(client, files, seed=2000)
        held = []
        for start in range(0, REQUESTS, WARM_AFTER):
            session.run(range(start, start + WARM_AFTER))
            held.append(Resources.of(client))
            with capsys.disabled():
                now = held[-1]
                print(  # noqa: T201 - whoever waits half an hour wants to see something
                    f"{start + WARM_AFTER:5} requests: {now.memory.own / 1e6:6.1f} MB of its own, "
                    f"{now.memory.resident / 1e6:6.1f} MB resident, "
                    f"{now.open_files} open files, {now.threads} threads"
                )
        client.request(REQUESTS, "shutdown", None)
        client.notify("exit", None)
        assert client.wait() == 0
        log = client.stderr()
    assert "ERROR" not in log
    assert session.suggestions > REQUESTS // 4
    trend = MemoryTrend([each.memory.own for each in held], WARM_AFTER)
    assert trend.is_level, trend
    warm, later = held[0], held[1:]
    assert max(each.open_files for each in later) <= warm.open_files
    assert max(each.threads for each in later) <= warm.threads


@pytest.mark.timeout(4 * 3600)
def test_two_thousand_requests_with_deaths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever dies, nothing is lost but what was in flight, and no server is larger than the first ones."""
    mortal = MortalSession(tmp_path, seed=2026)
    mortal.run(REQUESTS)
    ledger = mortal.ledger
    with capsys.disabled():
        print(  # noqa: T201 - these are the figures
            f"{ledger.answered} requests answered; died: {dict(ledger.deaths)}; "
            f"{counted(mortal.cache)} in the statistics; "
            f"memory {ledger.megabytes[0]:.1f} MB at first, {max(ledger.megabytes):.1f} MB at most; "
            f"{ledger.open_files[0]} open files at first, {max(ledger.open_files)} at most"
        )
    assert counted(mortal.cache) >= ledger.answered
    assert max(ledger.megabytes) <= max(ledger.megabytes[:3]) * LIVES_NOISE
    assert max(ledger.open_files) <= max(ledger.open_files[:3])
