"""Tells an engine that computes for long, or on a busy machine, from one that stands still."""

from __future__ import annotations

import math
from collections.abc import Callable

import psutil

from midfill.engine.connection import Connection
from midfill.engine.messages import Message
from midfill.sharing.connection import Silence

SILENT_SECONDS, ANSWER_SECONDS = 2.0, 3.0
"""Seconds without a message after which the engine is asked if it is still there, and in which it has to answer."""
_CHANCES = 6
"""How often it gets time to answer, unless it is known that it does not run meanwhile."""


def receive(connection: Connection, ask: Callable[[], object]) -> Message:
    """Wait for a message, as long as the engine is there. It may do the work of others first.

    ``ask`` asks it if it is there, which a thread of its own answers at once.

    Raises:
        ConnectionLost: it has ended.
        Silence: it stands still.
    """
    try:
        return connection.receive(SILENT_SECONDS)
    except Silence:
        ask()
    for _ in range(_CHANCES):
        worked = _processor_seconds(connection.process)
        try:
            return connection.receive(ANSWER_SECONDS)
        except Silence:
            if _processor_seconds(connection.process) == worked:
                raise
    raise Silence


def _processor_seconds(process: int) -> float:
    """Return for how long a process has run; if that is not known, NaN, which equals nothing."""
    try:
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return math.nan
    return float(times.user + times.system)
