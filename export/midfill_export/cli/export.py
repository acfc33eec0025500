"""The command ``midfill export SOURCE -o DIR``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from transformers.utils import logging as transformers_logging

from midfill.common.errors import UsageError
from midfill.inference.licences import Permit
from midfill_export.build.convert import convert
from midfill_export.build.make_template import make_template
from midfill_export.build.stages import stage_lines
from midfill_export.graph.rope_scaling import read_stretch
from midfill_export.weights.known_models import WEIGHTS, bundle_name
from midfill_export.weights.pull import cached_path

QUANT_TASKS = 40
"""Of the evaluation, for each way to quantise, when nothing is said."""


def run(args: argparse.Namespace, bundles: Path, use: str) -> int:
    """Export ``args.source``, saying each stage with its time and the memory used, and where the bundle is."""
    transformers_logging.set_verbosity_error()
    out = args.out or bundles / bundle_name(args.source)
    started = time.monotonic()
    progress = stage_lines()
    if args.template:
        make_template(args.source, args.template, progress)
        sys.stdout.write(f"{args.template}\n")
        return 0
    if args.compare:
        return _compare(args.source, out, args.eval_limit or 0, args.json)
    stretch = read_stretch(args.context, args.rope)
    exported = convert(args.source, out, args.target, progress, Permit(use, args.accept_license), stretch)
    if args.json:
        report = {
            "path": str(exported.path),
            "seconds": round(time.monotonic() - started, 1),
            "float_nodes": exported.float_nodes,
            "attention_nodes": exported.attention_nodes,
            **dataclasses.asdict(exported.manifest.verification),
        }
        sys.stdout.write(f"{json.dumps(report, indent=2)}\n")
    else:
        sys.stdout.write(f"{exported.path}\n")
    return 0


def quant(args: argparse.Namespace, bundles: Path) -> int:
    """Measure every way to quantise ``args.source``, or what was pulled, with ``args.limit`` tasks for each.

    Raises:
        UsageError: there is a bundle to measure.
        SourceError, ExportError: as :func:`midfill_export.build.convert.convert`.
    """
    if args.bundle:
        raise UsageError("the suite 'quant' makes what it measures: it takes --source, not --bundle.")
    source = args.source or str(cached_path(WEIGHTS["0.5b"]))
    transformers_logging.set_verbosity_error()
    return _compare(source, bundles / bundle_name(source), args.limit or QUANT_TASKS, args.json)


def _compare(source: str, out: Path, tasks: int, as_json: bool) -> int:
    # Imported only here: onnxruntime's quantisers, which it brings along, turn everybody's logging on.
    from midfill_export.build import compare  # noqa: PLC0415

    rows = compare.compare(source, out, tasks, stage_lines())
    sys.stdout.write(f"{json.dumps(compare.to_json(rows), indent=2) if as_json else compare.to_text(rows)}\n")
    return 0
