"""A flag that stops work in another thread, even within a running onnxruntime call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Cancelled(Exception):
    """The work was stopped on request; ``reason`` is the code that the user sees."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CancelFlag:
    """Any thread may set the flag. The work checks it between steps and may ask to be interrupted within a step."""

    def __init__(self, urgent: CancelFlag | None = None) -> None:
        """Create a flag; :meth:`set` also sets ``urgent`` unless it is called with ``urgent=False``."""
        self._lock = threading.Lock()
        self._reason = ""
        self._interrupt: Callable[[], None] | None = None
        self._urgent = urgent

    @property
    def urgent(self) -> CancelFlag:
        """The flag for a step whose result also serves the next request; this flag when no other was given."""
        return self._urgent or self

    def set(self, reason: str, *, urgent: bool = True) -> None:
        """Stop the work; only the first reason is kept.

        When ``urgent`` is false, a step that also serves the next request is finished first.
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
        """Call ``interrupt`` if the flag is set while the block runs.

        Raises:
            Cancelled: the flag was already set; the block is not entered.
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
