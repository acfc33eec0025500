"""The command ``midfill tune PATH``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from transformers.utils import logging as transformers_logging

from midfill.inference.licences import Permit
from midfill_export.build.progress import stage_lines
from midfill_export.tuning.training import Interrupted
from midfill_export.tuning.tune import to_json, tune
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.pull import cached_path
from midfill_export.weights.weights import bundle_name

_INTERRUPTED = 130


def run(args: argparse.Namespace, bundles: Path, use: str) -> int:
    """Tune ``args.base``, or the pulled 0.5b, on what is in ``args.path``; the report goes to standard output."""
    transformers_logging.set_verbosity_error()
    base = args.base or str(cached_path(WEIGHTS["0.5b"]))
    out = args.out.absolute() if args.out else bundles / f"{bundle_name(base)}-{'edits' if args.edits else 'tuned'}"
    permit = Permit(use, args.accept_license)
    try:
        tuned = tune(args.path, base, out, args.minutes, permit, stage_lines(), edits=args.edits, fresh=args.fresh)
    except Interrupted:
        sys.stderr.write("interrupted: the same command continues from here; add --fresh to start again\n")
        return _INTERRUPTED
    if args.json:
        sys.stdout.write(f"{json.dumps(to_json(tuned), indent=2)}\n")
        return 0
    sys.stdout.write(f"before  {tuned.before}\nafter   {tuned.after}\n{tuned.path}\n")
    if tuned.previous:
        sys.stdout.write(f"the previous bundle is kept in {tuned.previous}\n")
    return 0
