"""`midfill harness`: runs scripts of editor steps against the real server."""

from __future__ import annotations

import argparse
import sys

from midfill.harness.run import run_script
from midfill.harness.script import read_script


def run(args: argparse.Namespace) -> int:
    """Read all scripts, then run each with its own server, and print one line for each.

    Raises:
        UsageError: a script has a mistake. In that case none was run.
    """
    scripts = [(path, read_script(path)) for path in args.scripts]
    code = 0
    for path, steps in scripts:
        failure = run_script(steps, args.bundle)
        if failure is None:
            sys.stdout.write(f"ok    {path}  {len(steps)} steps\n")
        else:
            code = 1
            where = f"{path}:{failure.step.line}: step {failure.number}, {failure.step.verb}"
            sys.stdout.write(f"FAIL  {where}: {failure.message}\n")
        sys.stdout.flush()
    return code
