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
from midfill_export.build.from_checkpoint import bundle_from_checkpoint
from midfill_export.build.progress import stage_lines
from midfill_export.graph.rope_scaling import parse_rope_scaling
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.pull import cached_path
from midfill_export.weights.weights import bundle_name

QUANT_TASKS = 40
"""How many tasks of the evaluation each quantization scheme gets by default."""


def run(args: argparse.Namespace, bundles: Path, use: str) -> int:
    """Export ``args.source``: stages go to standard error, the bundle's path or the report to standard output."""
    transformers_logging.set_verbosity_error()
    out = args.out.absolute() if args.out else bundles / bundle_name(args.source)
    started = time.monotonic()
    progress = stage_lines()
    if args.compare:
        return _compare(args.source, out, args.eval_limit or 0, args.json)
    scaling = parse_rope_scaling(args.context, args.rope)
    permit = Permit(use, args.accept_license)
    exported = bundle_from_checkpoint(args.source, out, progress, permit, scaling, args.edit_format)
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
    """Measure ``args.source``, or the pulled 0.5b, in every quantization scheme, with ``args.limit`` tasks for each.

    Raises:
        UsageError: a bundle is named.
        SourceError, ExportError: as :func:`midfill_export.build.from_checkpoint.bundle_from_checkpoint`.
    """
    if args.bundle:
        raise UsageError("The suite 'quant' makes its own bundles: name the model by --source, not by --bundle.")
    source = args.source or str(cached_path(WEIGHTS["0.5b"]))
    transformers_logging.set_verbosity_error()
    return _compare(source, bundles / bundle_name(source), args.limit or QUANT_TASKS, args.json)


def _compare(source: str, out: Path, tasks: int, as_json: bool) -> int:
    # Imported late: it imports onnxruntime's quantizers, which switch on the logging of all libraries.
    from midfill_export.build.compare_schemes import compare_schemes, to_json, to_text  # noqa: PLC0415

    rows = compare_schemes(source, out, tasks, stage_lines())
    sys.stdout.write(f"{json.dumps(to_json(rows), indent=2) if as_json else to_text(rows)}\n")
    return 0
