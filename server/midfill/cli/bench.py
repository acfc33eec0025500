"""`midfill bench`: measures the speed of this machine with a bundle, or draws the history of earlier measurements."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from midfill.bench import benchmark, history, history_plot, report, shared_delay
from midfill.bench.benchmark import PeerChoice
from midfill.bench.plan import QUICK, Plan
from midfill.cli import bench_team
from midfill.common.errors import UsageError
from midfill.settings.schema import Settings

_TURNS, _QUICK_TURNS = 400, 40
"""How often --shared asks each model."""
_NOT_SHARED = ("team", "engine", "peer", "peer_model", "key_ms", "report", "history")
"""Options that make no sense with --shared, which types nothing."""
_MEASURING = (
    "quick",
    "team",
    "engine",
    "peer",
    "peer_model",
    "key_ms",
    "shared",
    "report",
    "history",
    "json",
    "bundle",
)
"""Options that make no sense with --plot-history, which measures nothing."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Measure and report, or draw a history.

    Raises:
        UsageError: the options do not fit together, or name a folder or a history that cannot be used.
        MidfillError: as :func:`midfill.bench.benchmark.run`.
    """
    if args.plot_history:
        return _plot_history(args)
    if args.team or args.engine:
        return bench_team.run(args, settings)
    if args.out:
        raise UsageError("-o goes with --plot-history FILE or --team N.")
    if args.shared:
        return _shared(args, settings)
    plan = QUICK if args.quick else Plan()
    if args.key_ms:
        plan = dataclasses.replace(plan, key_seconds=args.key_ms / 1000)
    peer = _peer(args)
    # The files are checked before minutes of work.
    for name, file in (("report", args.report), ("history", args.history)):
        if file and not file.parent.is_dir():
            raise UsageError(f"there is no folder {file.parent} for the {name}.")
    if args.history and args.history.exists():
        history.read(args.history)
    measured = benchmark.run(settings, lambda stage: sys.stderr.write(f"measuring: {stage}\n"), plan, peer)
    if args.report:
        report.write_markdown(measured, args.report)
    if args.history:
        history.append(args.history, history.entry_of(measured))
    if args.json:
        sys.stdout.write(f"{json.dumps(report.to_json(measured), indent=2)}\n")
    else:
        sys.stdout.write(f"{report.to_text(measured)}\n")
    return 0


def _shared(args: argparse.Namespace, settings: Settings) -> int:
    for option in _NOT_SHARED:
        if getattr(args, option):
            raise UsageError(f"--shared measures one thing only: leave out --{option.replace('_', '-')}.")
    measured = shared_delay.measure(settings, _QUICK_TURNS if args.quick else _TURNS)
    sys.stdout.write(f"{json.dumps(measured.to_json(), indent=2) if args.json else measured.to_text()}\n")
    return 0


def _plot_history(args: argparse.Namespace) -> int:
    if not args.out:
        raise UsageError("--plot-history needs -o FILE.svg, the picture to write.")
    for option in _MEASURING:
        if getattr(args, option):
            raise UsageError(f"--plot-history measures nothing: leave out --{option.replace('_', '-')}.")
    entries = history.read(args.plot_history)
    if not entries:
        raise UsageError(f"{args.plot_history} has no runs: add one with `midfill bench --history FILE`.")
    args.out.write_text(history_plot.draw(entries), encoding="utf-8", newline="\n")
    return 0


def _peer(args: argparse.Namespace) -> PeerChoice | None:
    if args.peer is None:
        if args.peer_model:
            raise UsageError("--peer-model goes with --peer llama-server=PATH.")
        return None
    name, _, path = args.peer.partition("=")
    if name != "llama-server" or not path:
        raise UsageError(f"'{args.peer}' is not a peer: write llama-server=PATH.")
    return PeerChoice(Path(path), args.peer_model)
