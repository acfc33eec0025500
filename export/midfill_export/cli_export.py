"""The command ``midfill export SOURCE -o DIR``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from transformers.utils import logging as transformers_logging

from midfill.licences import Permit
from midfill_export.convert import convert
from midfill_export.make_template import make_template
from midfill_export.source import bundle_name
from midfill_export.stages import stage_lines
from midfill_export.stretch import read_stretch


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
        # Imported only here: onnxruntime's quantisers, which it brings along, turn everybody's logging on.
        from midfill_export import compare  # noqa: PLC0415

        rows = compare.compare(args.source, out, args.eval_limit or 0, progress)
        text = json.dumps(compare.to_json(rows), indent=2) if args.json else compare.to_text(rows)
        sys.stdout.write(f"{text}\n")
        return 0
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
