"""`midfill serve --record`: what the server is given, so that the session is recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from midfill.actions import Perform
from midfill.recording.record_file import RecordWriter
from midfill.recording.recorder import RecordedActions, recording
from midfill.recording.session_record import Record
from midfill.session.session import SchedulerFactory
from midfill.settings.policy_file import read_policy

_log = logging.getLogger(__name__)


@contextmanager
def parts(file: Path) -> Iterator[tuple[SchedulerFactory, Perform]]:
    """Yield what makes the scheduler of a session and what does its actions; they record it in a file.

    Raises:
        UsageError: the file cannot be created.
        PolicyRefused: the administrators' policy forbids recordings.
    """
    read_policy().require_recording()
    with closing(RecordWriter(file)) as writer:
        _log.warning("This session is recorded, without secrets, in %s", writer.path)
        record = Record(writer)
        yield recording(record), RecordedActions(record).perform
