"""The command that a message tells of: only of files in the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.running.python_commands import failed_command, pytest_command, seconds_of

TRACEBACK = 'Traceback (most recent call last):\n  File "{file}", line 9, in <module>\n    f()\nKeyError: 1'


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("FAILED tests/test_a.py::test_f - KeyError: 1", "pytest tests/test_a.py::test_f"),
        ("FAILED tests/test_a.py::Shop::test_f[x] - E", "pytest tests/test_a.py::Shop::test_f[x]"),
        ("tests/test_a.py:7: in test_f\n    g()\na.py:3: in g\nE   KeyError", "pytest tests/test_a.py::test_f"),
        (TRACEBACK.format(file="{project}/a.py"), "python a.py"),
        (TRACEBACK.format(file="a.py"), "python a.py"),
        (TRACEBACK.format(file="/elsewhere/a.py"), None),
        (TRACEBACK.format(file="../a.py"), None),
        ("FAILED tests/test_gone.py::test_f", None),
        ("FAILED -p.py", None),
        ("error: expected ';'", None),
    ],
)
def test_command_of_a_message(message: str, name: str | None, tmp_path: Path) -> None:
    """The failed test, or the script that a traceback begins with."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").touch()
    (tmp_path / "a.py").touch()
    found = failed_command(message.replace("{project}", str(tmp_path)), tmp_path, "/usr/bin/python")
    assert (found.name if found else None) == name


def test_time_of_tests_is_read_from_the_report() -> None:
    """Pytest writes one line a test."""
    report = '<testsuite time="9"><testcase name="a" time="0.25"/><testcase name="b" time="1.5"><failure/></testcase>'
    assert seconds_of(report) == 1.75
    assert "--junitxml=r.xml" in pytest_command("python", ["a.py"], "r.xml").words
