"""A flag that stops work in another thread, and reaches into a running onnxruntime call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Cancelled(Exception):
    """The work was stopped on request; ``reason`` is the code the user sees."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CancelFlag:
    """Set once, from any thread; work checks it between steps and may ask to be interrupted within one."""

    def __init__(self, urgent: CancelFlag | None = None) -> None:
        """``urgent`` is set together with this one, when it is set urgently."""
        self._lock = threading.Lock()
        self._reason = ""
        self._interrupt: Callable[[], None] | None = None
        self._urgent = urgent

    @property
    def urgent(self) -> CancelFlag:
        """The flag for a step whose result serves whoever comes next; this one, if it has no other."""
        return self._urgent or self

    def set(self, reason: str, *, urgent: bool = True) -> None:
        """Stop the work; the first reason given stays.

        Unless that is ``urgent``, a step that serves whoever comes next is finished first.
        """
        if urgent and self._urgent is not None:
            self._urgent.set(reason)
        with self._lock:
            self._reason = self._reason or reason
            if self._interrupt is not None:
                self._interrupt()

    @property
    def is_set(self) -> bool:
        """Whether the work should stop."""
        return bool(self._reason)

    def check(self) -> None:
        """Raise Cancelled if the flag is set."""
        if self._reason:
            raise Cancelled(self._reason)

    @contextlib.contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call ``interrupt`` when the flag is set during the block; the block is not entered if it is set already.

        Raises:
            Cancelled: the flag is set already.
        """
        with self._lock:
            if self._reason:
                raise Cancelled(self._reason)
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None
