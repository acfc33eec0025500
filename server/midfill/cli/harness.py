"""`midfill harness`: scripts of what somebody does in an editor, run against the real server."""

from __future__ import annotations

import argparse
import sys

from midfill.harness.run import run_script
from midfill.harness.script import read_script


def run(args: argparse.Namespace) -> int:
    """Read all scripts, then run them in turn, each with a server of its own; a line for each.

    Raises:
        UsageError: a script is wrong; none was run then.
    """
    scripts = [(path, read_script(path)) for path in args.scripts]
    code = 0
    for path, steps in scripts:
        fault = run_script(steps, args.bundle)
        if fault is None:
            sys.stdout.write(f"ok    {path}  {len(steps)} steps\n")
        else:
            code = 1
            where = f"{path}:{fault.step.line}: step {fault.number}, {fault.step.verb}"
            sys.stdout.write(f"FAIL  {where}: {fault.message}\n")
        sys.stdout.flush()
    return code
