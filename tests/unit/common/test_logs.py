"""Logs: whatever goes wrong with a document, its text is in no line."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.common.logs import PublicText, TextFreeFormatter, describe

SENTINEL = "sentinel_7f3a"


@pytest.fixture
def logged() -> Callable[[Callable[[logging.Logger], object], str], str]:
    """Return what one use of a logger of some name writes."""

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
    """Raise as a parser does that quotes what it could not read."""
    try:
        int(SENTINEL)
    except ValueError as error:
        raise RuntimeError(f"cannot use {SENTINEL}") from error


Logged = Callable[..., str]


def test_own_record_shows_numbers_paths_and_public_text(logged: Logged) -> None:
    """What cannot be document text is shown as it is."""
    line = logged(lambda log: log.info("%d of %s in %s for %s, %s", 3, 1.5, Path("/m"), PublicText("you"), None))
    assert line.endswith("INFO midfill.some: 3 of 1.5 in /m for you, None\n")


@pytest.mark.parametrize(
    "argument", [SENTINEL, [SENTINEL], {"a": SENTINEL}, SENTINEL.encode()], ids=lambda a: type(a).__name__
)
def test_own_record_shows_only_the_type_of_anything_else(logged: Logged, argument: object) -> None:
    """A string, or what may hold one, is replaced by its type's name."""
    line = logged(lambda log: log.error("got %s and %s", argument, 1))
    assert line.endswith(f"got <{type(argument).__name__}> and 1\n")


def test_argument_that_does_not_fit_its_place(logged: Logged) -> None:
    """A number's place filled with text shows the template, not the text and not logging's own complaint."""
    assert logged(lambda log: log.error("%d tokens", SENTINEL)).endswith("midfill.some: %d tokens\n")
    assert logged(lambda log: log.error("%(a)s tokens", {"a": SENTINEL})).endswith("midfill.some: %(a)s tokens\n")


def test_exception_is_its_class_and_lines(logged: Logged) -> None:
    """As an argument or as the exception being handled, an error is named and placed, with its cause."""
    with pytest.raises(RuntimeError) as caught:
        fail_deeply()
    line = logged(lambda log: log.error("failed: %s", caught.value))
    assert "failed: RuntimeError at test_logs.py:" in line
    assert "caused by ValueError at test_logs.py:" in line
    handled = logged(lambda log: log.error("failed", exc_info=caught.value))
    assert "failed (RuntimeError at test_logs.py:" in handled
    assert SENTINEL not in line + handled


def test_other_libraries_show_only_where_they_logged(logged: Logged) -> None:
    """Neither message nor arguments of a foreign record are shown: pygls and asyncio put whole bodies in both."""
    line = logged(lambda log: log.info(f"Sending data: {SENTINEL} %s", SENTINEL), name="pygls.protocol.json_rpc")
    assert "INFO pygls.protocol.json_rpc: test_logs.py:" in line
    assert SENTINEL not in line


def test_a_name_that_only_begins_like_ours_is_foreign(logged: Logged) -> None:
    """Rule 1 is for Midfill's packages, not for a namesake."""
    assert SENTINEL not in logged(lambda log: log.info(SENTINEL), name="midfiller")


def test_record_is_one_line(logged: Logged) -> None:
    """A template of several lines and a traceback still make one line."""
    assert logged(lambda log: log.error("one\ntwo", exc_info=ValueError(SENTINEL))).count("\n") == 1


def test_description_names_the_innermost_lines_first() -> None:
    """The place of the fault comes first, then who called it."""
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
        ("import warnings; warnings.warn(secret)", "WARNING py.warnings: warnings.py:"),
        ("import logging; logging.getLogger('pygls').error(secret)", ""),
        ("import logging; logging.getLogger('midfill').error('%d', secret)", "ERROR midfill: %d"),
        ("import logging, sys; sys.stderr.close(); logging.getLogger('midfill').error(secret)", ""),
    ],
    ids=["uncaught", "thread", "finalizer", "warning", "pygls", "bad format", "stderr closed"],
)
@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
def test_nothing_of_a_process_writes_text(crash: str, expected: str, level: str) -> None:
    """After `setup_logging` every way a process writes to stderr by itself is one line without the text."""
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
    """The server says itself what failed; where pygls noticed it is for debugging only."""
    program = (
        f"from midfill.common.logs import setup_logging\nsetup_logging({level!r})\nimport logging\n"
        "logging.getLogger('pygls.protocol').error('x')\nlogging.getLogger('asyncio').error('x')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr.count("\n") == lines
