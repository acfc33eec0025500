"""`midfill serve --record`: what the server is given, so that the session is recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from midfill.completion.scheduler import new_scheduler
from midfill.recording.record_file import RecordWriter
from midfill.recording.recorder import recording
from midfill.session.session import SchedulerFactory

_log = logging.getLogger(__name__)


@contextmanager
def schedulers(file: Path | None) -> Iterator[SchedulerFactory]:
    """Yield what makes the scheduler of a session, which is recorded if there is a file for it.

    Raises:
        UsageError: the file cannot be created.
    """
    if file is None:
        yield new_scheduler
        return
    with closing(RecordWriter(file)) as writer:
        _log.warning("This session is recorded, without secrets, in %s", writer.path)
        yield recording(writer)
