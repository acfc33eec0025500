"""Fuzzes the real thing and prints figures.

    python -m fuzz [messages|bundles|workspaces] [--first SEED] [--count N] [--patience SECONDS]

Without a name all three run, at full length. The exit code is 1 if there is a find, or if the server's memory
grows. Each find is printed with the command that repeats it. The folder ``tests`` must be in PYTHONPATH.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fuzz.bundle_run import run_bundles
from fuzz.finds import Find, Tally
from fuzz.message_run import run_messages
from fuzz.server import FuzzedServer
from fuzz.workspace_run import run_workspaces
from unit.helpers import chain_graph, write_bundle

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token }}"
COUNTS = {"messages": 20_000, "bundles": 500, "workspaces": 300}

OnFind = Callable[[Find], None]


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("run", nargs="?", choices=COUNTS, help="what to fuzz (default: all)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed (default: 0)")
    parser.add_argument("--count", type=int, metavar="N", help="number of cases")
    parser.add_argument("--patience", type=float, default=10.0, metavar="SECONDS", help="default: 10")
    args = parser.parse_args()
    code = 0
    for run in [args.run] if args.run else COUNTS:
        with tempfile.TemporaryDirectory(prefix="midfill-fuzz-") as folder:
            tally = _RUNS[run](Path(folder), args.first, args.count or COUNTS[run], args.patience)
        _show(tally)
        code = code or int(not tally.is_sound)
    return code


def tiny_bundle(folder: Path) -> Path:
    """Write a bundle with a real graph that says one word anywhere."""
    graph = chain_graph("left", anywhere=True)
    return write_bundle(folder, graph, chat_template=TEMPLATE, context_length=4096).path


def _messages(folder: Path, first: int, count: int, patience: float) -> Tally:
    with FuzzedServer(tiny_bundle(folder / "bundle"), folder, patience) as server:
        return run_messages(server, first, count, _show)


def _bundles(folder: Path, first: int, count: int, patience: float) -> Tally:
    return run_bundles(tiny_bundle(folder / "bundle"), folder, first, count, patience, _show)


def _workspaces(folder: Path, first: int, count: int, patience: float) -> Tally:
    with FuzzedServer(tiny_bundle(folder / "bundle"), folder, patience) as server:
        return run_workspaces(server, folder, first, count, _show)


def _show(what: Find | Tally) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


_RUNS: dict[str, Callable[[Path, int, int, float], Tally]] = {
    "messages": _messages,
    "bundles": _bundles,
    "workspaces": _workspaces,
}


if __name__ == "__main__":
    sys.exit(main())
