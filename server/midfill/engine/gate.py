"""The queue for the processor in the engine process: one step of the model at a time, the most urgent one first.

A step that runs is interrupted when a more urgent one arrives, and is repeated afterwards. So typing in one editor
never waits for an action in another one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import count
from typing import NamedTuple, TypeVar

from midfill.common.cancel import CancelFlag, Cancelled

T = TypeVar("T")
_PREEMPTED = "preempted"


class Priority(IntEnum):
    """Who comes first: the smallest number."""

    TYPING = 0
    ACTION = 1
    AHEAD = 2
    """Work that nobody waits for yet."""


class _Step(NamedTuple):
    """A step that waits or runs. Steps of one priority run in the order of their tickets."""

    priority: Priority
    ticket: int
    flag: CancelFlag


class Gate:
    """Lets the steps of all clients through, one at a time; for any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Step] = []
        self._running: _Step | None = None
        self._tickets = count()

    def run(self, priority: Priority, step: Callable[[CancelFlag], T], cancel: CancelFlag) -> T:
        """Do a step when its turn comes: see :meth:`midfill.inference.preemption.Steps.run`."""
        while True:
            turn = _Step(priority, next(self._tickets), CancelFlag())
            with cancel.interrupting(lambda flag=turn.flag: flag.set("cancelled")):  # type: ignore[misc]
                try:
                    with self._turn(turn):
                        return step(turn.flag)
                except Cancelled as stop:
                    if stop.reason != _PREEMPTED:
                        raise

    @contextmanager
    def _turn(self, turn: _Step) -> Iterator[None]:
        """Wait for a step's turn, and count it as running during the block.

        Raises:
            Cancelled: its flag was set before its turn came.
        """
        self._enter(turn)
        try:
            turn.flag.check()
            yield
        finally:
            with self._changed:
                self._running = None
                self._changed.notify_all()

    def _enter(self, turn: _Step) -> None:
        with self._changed:
            self._waiting.append(turn)
            running = self._running
        # Outside of the lock: setting a flag may call _wake, which takes the lock.
        if running is not None and turn.priority < running.priority:
            running.flag.set(_PREEMPTED)
        try:
            with turn.flag.interrupting(self._wake), self._changed:
                self._changed.wait_for(lambda: turn.flag.is_set or self._is_next(turn))
                turn.flag.check()
                self._running = turn
        finally:
            with self._changed:
                self._waiting.remove(turn)
                self._changed.notify_all()  # it may have been the next one

    def _is_next(self, turn: _Step) -> bool:
        return self._running is None and min(self._waiting, key=lambda each: each[:2]) is turn

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Turns:
    """The gate as one generator sees it: :class:`midfill.inference.preemption.Steps`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.priority = Priority.TYPING
        """The priority of the steps from now on."""

    def run(self, step: Callable[[CancelFlag], T], cancel: CancelFlag) -> T:
        """See :meth:`midfill.inference.preemption.Steps.run`."""
        return self._gate.run(self.priority, step, cancel)
