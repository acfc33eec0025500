"""An engine from which nothing comes: one that stands still, and one that does not come to answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from midfill.engine import heartbeat
from midfill.engine.connection import Connection
from midfill.engine.messages import Message
from midfill.sharing.connection import Silence


class Silent(Connection):
    """A connection from which nothing comes."""

    def __init__(self) -> None:
        self.process = 7
        self.waits: list[float | None] = []

    def receive(self, seconds: float | None = None) -> Message:
        """Note how long somebody would wait."""
        self.waits.append(seconds)
        raise Silence


@pytest.mark.parametrize(
    ("worked", "seconds"),
    [(itertools.repeat(3.5), 5), (itertools.count(), 20), (itertools.repeat(math.nan), 20)],
    ids=["stands still", "runs", "not known"],
)
def test_silence_is_borne_for_seconds(monkeypatch: pytest.MonkeyPatch, worked: Iterator[float], seconds: int) -> None:
    """It is asked once. It gets more time unless its processor time stands still."""
    monkeypatch.setattr(heartbeat, "_processor_seconds", lambda _: next(worked))
    connection, asked = Silent(), list[bool]()
    with pytest.raises(Silence):
        heartbeat.receive(connection, lambda: asked.append(True))
    assert sum(map(float, filter(None, connection.waits))) == seconds
    assert asked == [True]
