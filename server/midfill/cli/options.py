"""What the parsers of several commands share: options, and kinds of values."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, Protocol

from midfill.settings.schema import read

_COUNT = re.compile(r"0*[1-9][0-9]{0,8}")


class AddCommand(Protocol):
    """Adds a command to the command line."""

    def __call__(self, name: str, summary: str, example: str) -> argparse.ArgumentParser:
        """Return the command's own parser; ``summary`` is one sentence, ``example`` one command line."""


def add_debug(parser: argparse.ArgumentParser, default: Any) -> None:
    """Add ``--debug``."""
    parser.add_argument("--debug", action="store_true", default=default, help="show the whole traceback of an error")


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Add ``--bundle``."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the model's bundle (default: in the cache folder)")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add ``--engine``."""
    parser.add_argument(
        "--engine",
        type=server,
        default="",
        metavar="URL",
        help="use a server's model, as the setting 'engine' does",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_licence_acceptance(parser: argparse.ArgumentParser) -> None:
    """Add ``--accept-license``."""
    parser.add_argument(
        "--accept-license",
        action="store_true",
        help="accept the model's licence if it restricts commercial use; read it first",
    )


def server(text: str) -> str:
    """Read the URL of a server."""
    values, problems = read({"engine": text})
    if problems:
        raise argparse.ArgumentTypeError(f"'{text}' is not the URL of a server")
    return str(values["engine"])


def count(text: str) -> int:
    """Read a whole number from 1 to 999999999."""
    if not _COUNT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 999999999")
    return int(text)
