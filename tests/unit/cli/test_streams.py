"""The standard streams of a command, whatever the system's code page is."""

from __future__ import annotations

import io
import sys

import pytest

from midfill.cli import streams

TEXT = "größer als 日本\r\nfertig\n"


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def input_of(data: bytes) -> io.TextIOWrapper:
    """Return a standard input as Windows makes it for a pipe: in a code page."""
    return io.TextIOWrapper(io.BytesIO(data), encoding="cp1252")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_pipe_gets_utf_8_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the characters nor the line ends are changed."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding="cp1252", newline="\r\n", write_through=True))
    streams.set_up()
    getattr(sys, name).write(TEXT)
    assert written.getvalue() == TEXT.encode()


def test_terminal_keeps_its_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that it cannot show is shown by its number."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(written, encoding="cp1252", newline="\r\n", write_through=True))
    streams.set_up()
    sys.stdout.write(TEXT)
    assert written.getvalue() == b"gr\xf6\xdfer als \\u65e5\\u672c\r\nfertig\n"


def test_program_without_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without a console has none on Windows."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    streams.set_up()
    assert sys.stdout is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_input_is_read_whatever_has_written_it(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PowerShell writes UTF-16 into a file, and often a byte order mark."""
    monkeypatch.setattr(sys, "stdin", input_of(TEXT.encode(encoding)))
    assert streams.read_input() == "größer als 日本\nfertig\n"


def test_wrong_bytes_of_the_input_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a message in a code page can be read."""
    monkeypatch.setattr(sys, "stdin", input_of("größer".encode("cp1252")))
    assert streams.read_input() == "gr\ufffd\ufffder"


@pytest.mark.parametrize(
    ("error", "platform", "lost"),
    [
        (BrokenPipeError(32, "Broken pipe"), "linux", True),
        (BrokenPipeError(32, "Broken pipe"), "win32", True),
        (OSError(22, "Invalid argument"), "win32", True),
        (OSError(22, "Invalid argument"), "linux", False),
        (OSError(28, "No space left"), "win32", False),
        (ValueError(22), "win32", False),
    ],
    ids=repr,
)
def test_reader_has_left(error: Exception, platform: str, lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has another error for it."""
    monkeypatch.setattr(sys, "platform", platform)
    assert streams.has_lost_its_reader(error) == lost
