"""`midfill stats`: what was counted on this machine, as text, as JSON, or as a page of plots."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from midfill.common.errors import UsageError
from midfill.common.os_errors import explain
from midfill.outcomes import counters, stats_page, weekly


def run(args: argparse.Namespace) -> int:
    """Print the counts, or write the page.

    Raises:
        UsageError: the page cannot be written.
    """
    if args.html is not None:
        _write_page(args.html)
        return 0
    found = counters.summary()
    sys.stdout.write(f"{json.dumps(found, indent=2) if args.json else counters.to_text(found)}\n")
    return 0


def _write_page(file: Path) -> None:
    try:
        file.write_text(stats_page.page(weekly.weeks(), time.time()), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"the page {file} cannot be written: {explain(error)}.") from error
    sys.stdout.write(f"The page is {file}. Open it in a browser.\n")
