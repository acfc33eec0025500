"""Runs tests with pytest in the sandbox, to get pytest's report of a test that fails."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from midfill.common.errors import EvalError
from midfill.running.sandbox import RunResult, run_python

_NEEDED = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments")
_MAX_REPORT_BYTES = 6_000
_PROGRAM = """\
import io, os, sys, types

# pytest imports subprocess, which the sandbox refuses. With this stand-in, subprocess is imported but starts nothing.
sys.modules["_posixsubprocess"] = types.SimpleNamespace(fork_exec=None)
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
sys.path += {folders!r}
import pytest


class Report:
    text = ""

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.text:
            self.text = report.longreprtext

    pytest_collectreport = pytest_runtest_logreport


for name, text in {files!r}.items():
    with open(name, "w") as file:
        file.write(text)
report = Report()
sys.stdout = sys.stderr = io.StringIO()
unneeded = ("cacheprovider", "faulthandler", "logging", "legacypath")  # some of them write outside the folder
without = [option for name in unneeded for option in ("-p", f"no:{{name}}")]
ended = pytest.main(["-qqsx", "--tb=short", *without, {tests!r}], plugins=[report])
if ended:
    raise AssertionError(report.text or f"pytest ended with exit code {{int(ended)}}")
"""


def run_pytest(files: Mapping[str, str], tests: str, *, seconds: float, megabytes: int) -> RunResult:
    """Run the tests in one of ``files``, up to the first that fails. The reason is pytest's short report of that test.

    Args:
        files: the files' texts by their names; all are in one folder.
        tests: the name of the file with the tests.
        seconds: time after which the run is killed.
        megabytes: maximum address space.

    Raises:
        EvalError: pytest is not installed.
    """
    program = _PROGRAM.format(folders=_folders(), files=dict(files), tests=tests)
    result = run_python(program, seconds=seconds, megabytes=megabytes, max_reason_bytes=_MAX_REPORT_BYTES)
    return RunResult(result.passed, result.reason.removeprefix("AssertionError: ").strip())


def _folders() -> list[str]:
    """Return the folders in which pytest and the packages it needs are installed."""
    found = {name: importlib.util.find_spec(name) for name in _NEEDED}
    if found["pytest"] is None:
        raise EvalError("pytest is not installed; run: pip install 'midfill[eval]'")
    origins = [Path(spec.origin) for spec in found.values() if spec and spec.origin]
    return sorted({str(origin.parent.parent) for origin in origins})
