"""Changing a file that several servers change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

_POLL_SECONDS = 0.005


class Busy(Exception):
    """Another process has had the file for too long."""


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Keep other processes, and other threads of this one, from changing a file, which need not exist.

    The lock is a file beside it. The system frees it when its owner ends, however that happens.

    Raises:
        Busy: it was not free for ``seconds``.
        OSError: there can be no lock here.
    """
    lock = filelock.FileLock(file.with_name(f".{file.name}.lock"), timeout=seconds)
    try:
        lock.acquire(poll_interval=_POLL_SECONDS)
    except filelock.Timeout:
        raise Busy from None
    except (RuntimeError, NotImplementedError) as error:
        raise OSError(str(error)) from error
    try:
        yield
    finally:
        lock.release()
