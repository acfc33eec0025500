"""`midfill bench --team`: how an engine serves a team that types at once."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from midfill.bench import team, team_report
from midfill.bench.plan import QUICK
from midfill.cli.files import own_settings
from midfill.common.errors import UsageError
from midfill.settings import schema
from midfill.settings.engine_settings import EngineSettings
from midfill.settings.schema import Settings

_OTHERS = ("peer", "peer_model", "report", "history")
"""Options of the measurement of one machine."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Measure and report. How the engine is reached, such as its key, is in the user's own settings.

    Raises:
        UsageError: the options do not fit together, or the engine's address is none.
        MidfillError: as :func:`midfill.bench.team.run`.
    """
    for option in _OTHERS:
        if getattr(args, option):
            raise UsageError(f"--team measures an engine: leave out --{option.replace('_', '-')}.")
    if not args.team:
        raise UsageError("--engine goes with --team N, the number of developers.")
    if args.out and not args.out.parent.is_dir():
        raise UsageError(f"there is no folder {args.out.parent} for the picture.")
    plan = team.TeamPlan(keys=QUICK.keys) if args.quick else team.TeamPlan()
    if args.key_ms:
        plan = dataclasses.replace(plan, key_seconds=args.key_ms / 1000)
    measured = team.run(
        _at_engine(settings, args.engine), args.team, plan, lambda stage: sys.stderr.write(f"measuring: {stage}\n")
    )
    if args.out:
        args.out.write_text(team_report.to_svg(measured), encoding="utf-8", newline="\n")
    shown = json.dumps(team_report.to_json(measured), indent=2) if args.json else team_report.to_text(measured)
    sys.stdout.write(f"{shown}\n")
    return 0


def _at_engine(settings: Settings, url: str | None) -> Settings:
    """Return the settings with the engine at ``url``, or with the user's own, and how the user reaches it."""
    own = own_settings()
    reached = {each.name: getattr(own, each.name) for each in dataclasses.fields(EngineSettings)}
    if url:
        values, problems = schema.read({"engine": url})
        if problems:
            raise UsageError(f"'{url}' is not the address of an engine: write http://HOST:PORT or https://HOST.")
        reached |= values
    if not reached["engine"]:
        raise UsageError("--team needs --engine URL, the address of the engine, or your setting `engine`.")
    return dataclasses.replace(settings, **reached)
