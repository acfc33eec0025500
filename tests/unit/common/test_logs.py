"""Logs: no line contains document text, whatever fails."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.common.logs import PublicText, TextFreeFormatter, describe

SENTINEL = "sentinel_7f3a"
WARNINGS_FILE = Path(warnings.formatwarning.__code__.co_filename).name
"""The file that shows warnings: another one from Python 3.14 on."""


@pytest.fixture
def logged() -> Callable[[Callable[[logging.Logger], object], str], str]:
    """Return a function that runs one use of a logger and returns the written text."""

    def run(use: Callable[[logging.Logger], object], name: str = "midfill.some") -> str:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(TextFreeFormatter())
        logger = logging.Logger(name, logging.DEBUG)
        logger.addHandler(handler)
        use(logger)
        return stream.getvalue()

    return run


def fail_deeply() -> None:
    """Raise an error whose message quotes a document, as a parser does."""
    try:
        int(SENTINEL)
    except ValueError as error:
        raise RuntimeError(f"cannot use {SENTINEL}") from error


Logged = Callable[..., str]


def test_own_record_shows_numbers_paths_and_public_text(logged: Logged) -> None:
    """Arguments that cannot be document text are shown unchanged."""
    line = logged(lambda log: log.info("%d of %s in %s for %s, %s", 3, 1.5, Path("/m"), PublicText("you"), None))
    assert line.endswith("INFO midfill.some: 3 of 1.5 in /m for you, None\n")


@pytest.mark.parametrize(
    "argument", [SENTINEL, [SENTINEL], {"a": SENTINEL}, SENTINEL.encode()], ids=lambda a: type(a).__name__
)
def test_own_record_shows_only_the_type_of_anything_else(logged: Logged, argument: object) -> None:
    """A string, or a value that may contain one, is replaced by the name of its type."""
    line = logged(lambda log: log.error("got %s and %s", argument, 1))
    assert line.endswith(f"got <{type(argument).__name__}> and 1\n")


def test_argument_that_does_not_fit_its_place(logged: Logged) -> None:
    """When the arguments do not fit the template, the template is shown, without the text."""
    assert logged(lambda log: log.error("%d tokens", SENTINEL)).endswith("midfill.some: %d tokens\n")
    assert logged(lambda log: log.error("%(a)s tokens", {"a": SENTINEL})).endswith("midfill.some: %(a)s tokens\n")


def test_exception_is_its_class_and_lines(logged: Logged) -> None:
    """An exception, as an argument or handled, is shown by its class, its lines and its cause."""
    with pytest.raises(RuntimeError) as caught:
        fail_deeply()
    line = logged(lambda log: log.error("failed: %s", caught.value))
    assert "failed: RuntimeError at test_logs.py:" in line
    assert "caused by ValueError at test_logs.py:" in line
    handled = logged(lambda log: log.error("failed", exc_info=caught.value))
    assert "failed (RuntimeError at test_logs.py:" in handled
    assert SENTINEL not in line + handled


def test_other_libraries_show_only_where_they_logged(logged: Logged) -> None:
    """Neither the message nor the arguments of another library's record are shown."""
    line = logged(lambda log: log.info(f"Sending data: {SENTINEL} %s", SENTINEL), name="pygls.protocol.json_rpc")
    assert "INFO pygls.protocol.json_rpc: test_logs.py:" in line
    assert SENTINEL not in line


def test_logger_name_that_only_starts_with_midfill(logged: Logged) -> None:
    """The records of `midfiller` are those of another library."""
    assert SENTINEL not in logged(lambda log: log.info(SENTINEL), name="midfiller")


def test_record_is_one_line(logged: Logged) -> None:
    """A template of several lines, or a traceback, gives one line."""
    assert logged(lambda log: log.error("one\ntwo", exc_info=ValueError(SENTINEL))).count("\n") == 1


def test_description_names_the_innermost_lines_first() -> None:
    """The innermost line comes first, then its caller."""
    with pytest.raises(RuntimeError) as caught:
        fail_deeply()
    places = describe(caught.value).partition(", caused by")[0]
    raised, called = (place.rpartition(":")[2] for place in places.split(" < "))
    assert int(raised) == fail_deeply.__code__.co_firstlineno + 5
    assert int(called) > int(raised)


@pytest.mark.parametrize(
    ("crash", "expected"),
    [
        ("raise ValueError(secret)", "CRITICAL midfill.common.logs: Midfill crashed: ValueError at"),
        (
            "import threading; t = threading.Thread(target=int, args=(secret,)); t.start(); t.join()",
            "CRITICAL midfill.common.logs: A thread of Midfill crashed: ValueError at",
        ),
        (
            "class Bad:\n    def __del__(self): raise ValueError(secret)\nBad()",
            "ERROR midfill.common.logs: An exception could not be raised: ValueError at",
        ),
        ("import warnings; warnings.warn(secret)", f"WARNING py.warnings: {WARNINGS_FILE}:"),
        ("import logging; logging.getLogger('pygls').error(secret)", ""),
        ("import logging; logging.getLogger('midfill').error('%d', secret)", "ERROR midfill: %d"),
        ("import logging, sys; sys.stderr.close(); logging.getLogger('midfill').error(secret)", ""),
    ],
    ids=["uncaught", "thread", "finalizer", "warning", "pygls", "bad format", "stderr closed"],
)
@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
def test_nothing_of_a_process_writes_text(crash: str, expected: str, level: str) -> None:
    """After `setup_logging` everything that a process writes to stderr by itself is one line without the text."""
    # The secret is an argument: Python shows source lines, which are not document text.
    program = (
        f"import sys\nfrom midfill.common.logs import setup_logging\nsetup_logging({level!r})\nsecret = sys.argv[1]\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program + crash, SENTINEL], capture_output=True, text=True, check=False
    )
    assert expected in ended.stderr
    assert SENTINEL not in ended.stderr
    assert ended.stderr.count("\n") <= 1


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 2), ("INFO", 1)])
def test_pygls_is_silent_unless_debugging(level: str, lines: int) -> None:
    """The records of pygls appear only at level DEBUG, because the server reports failures itself."""
    program = (
        f"from midfill.common.logs import setup_logging\nsetup_logging({level!r})\nimport logging\n"
        "logging.getLogger('pygls.protocol').error('x')\nlogging.getLogger('asyncio').error('x')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr.count("\n") == lines
