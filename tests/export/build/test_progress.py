"""The lines that a long command writes."""

from __future__ import annotations

import re

import pytest

from midfill_export.build.progress import stage_lines


def test_line_has_time_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """Each stage is a line on standard error, after the seconds and the memory in use."""
    stage_lines()("tracing")
    written = capsys.readouterr()
    assert written.out == ""
    assert re.fullmatch(r" *\d+\.\d s +\d+\.\d GB  tracing\n", written.err)
