"""The command ``midfill models``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from midfill.inference.licences import Permit, licence
from midfill.settings.policy_file import read_policy
from midfill_export.choice.choose import (
    LONGEST_NEW_FILE_MS,
    LONGEST_SUGGESTION_MS,
    Option,
    best,
    options,
    use_rules,
)
from midfill_export.choice.machine import Machine, this_machine
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Weights

_HEAD = (
    "", "name", "parameters", "download", "memory", "key", "new file", "suggestion", "FIM", "next edits", "licence",
    "not chosen for", "languages",
)  # fmt: skip
_FORMATS = {"plain": "", "sweep": "sweep", "zeta": "zeta"}


def run(args: argparse.Namespace, bundles: Path, bundle: Path, use: str) -> int:
    """Write the catalogue to standard output, with what each model takes on this machine, and a mark at the best.

    Args:
        args: With ``json``, everything that is known.
        bundles: The folder of bundles.
        bundle: The bundle in use, which may remember how fast this machine is.
        use: The setting ``use``.
    """
    machine = this_machine(bundles, bundle)
    listed = all_options(machine, Permit(use))
    chosen = best(listed)
    if args.json:
        sys.stdout.write(f"{json.dumps(to_json(listed, chosen, machine), indent=2)}\n")
    else:
        sys.stdout.write(f"{to_text(listed, chosen, machine)}\n")
    return 0


def all_options(machine: Machine, permit: Permit) -> list[Option]:
    """Return all models, under the user's permit and the administrators' policy."""
    return options(WEIGHTS, machine, use_rules(permit, read_policy().require_model))


def to_text(listed: Sequence[Option], chosen: Option | None, machine: Machine) -> str:
    """Return the table, and below it what its columns mean."""
    rows = [_HEAD, *(_row(option, option is chosen) for option in listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    choice = f"`midfill pull auto` takes {chosen.weights.name} (*)" if chosen else "No model may be used, or has room"
    return "\n".join(
        [
            *lines,
            "",
            f"Milliseconds are expected ones on this machine ({machine.how}):",
            "to read a keystroke, for the first suggestion in a new file, and to write a suggestion after a keystroke.",
            f"{choice}.",
            f"The best one has room, writes a suggestion within {LONGEST_SUGGESTION_MS:,} ms, and the first one in a"
            f" new file within {LONGEST_NEW_FILE_MS:,} ms.",
        ]
    )


def to_json(listed: Sequence[Option], chosen: Option | None, machine: Machine) -> dict[str, Any]:
    """Return all that is known as JSON values."""
    return {
        "machine": asdict(machine),
        "limits": {"new_file_ms": LONGEST_NEW_FILE_MS, "suggestion_ms": LONGEST_SUGGESTION_MS},
        "best": chosen.weights.name if chosen else None,
        "models": [_entry(option) for option in listed],
    }


def _entry(option: Option) -> dict[str, Any]:
    weights = option.weights
    known = asdict(weights)
    known["parameters"] = weights.number_of_parameters
    known["commercial"] = licence(weights.licence, weights.title).commercial
    known["expected"] = asdict(option.takes) if option.takes else None
    known["obstacle"] = option.obstacle
    return known


def _row(option: Option, is_best: bool) -> tuple[str, ...]:
    weights, takes = option.weights, option.takes
    milliseconds = [takes.keystroke_ms, takes.new_file_ms, takes.suggestion_ms] if takes else []
    return (
        "*" if is_best else "",
        weights.name,
        f"{weights.number_of_parameters / 1e9:.1f}B" if weights.number_of_parameters >= 1e9 else _millions(weights),
        _megabytes(weights.size),
        _megabytes(takes.memory if takes else 0),
        *([f"{value:,.0f} ms" for value in milliseconds] or ["?"] * 3),
        weights.fim or "none",
        _FORMATS[weights.edit_format],
        weights.licence if weights.sha256 else f"{weights.licence}, hash not pinned",
        option.obstacle,
        weights.languages,
    )


def _millions(weights: Weights) -> str:
    return f"{weights.number_of_parameters / 1e6:.0f}M"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size else "?"
