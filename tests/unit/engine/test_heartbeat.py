"""An engine from which nothing comes: one that stands still, and one that does not come to answer."""

from __future__ import annotations

import os
import time

import pytest

from midfill.engine.connection import Connection
from midfill.engine.heartbeat import receive
from midfill.engine.messages import Message
from midfill.sharing.connection import Silence


class Silent(Connection):
    """A connection from which nothing comes, to a process that runs meanwhile if it is ours."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.waits: list[float | None] = []

    def receive(self, seconds: float | None = None) -> Message:
        """Note how long somebody would wait."""
        self.waits.append(seconds)
        begun = time.process_time()
        while time.process_time() < begun + 0.03:  # more than a tick of the system's clock
            pass
        raise Silence


@pytest.mark.parametrize(("process", "seconds"), [(0, 5), (os.getpid(), 20)], ids=["stands still", "runs"])
def test_silence_is_borne_for_seconds(process: int, seconds: int) -> None:
    """It is asked once. It gets more time only if it runs."""
    connection, asked = Silent(process), list[bool]()
    with pytest.raises(Silence):
        receive(connection, lambda: asked.append(True))
    assert sum(map(float, filter(None, connection.waits))) == seconds
    assert asked == [True]
