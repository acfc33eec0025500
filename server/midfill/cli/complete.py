"""`midfill complete`: completes one position in a file, as an editor would that has the file's repository open."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from contextlib import nullcontext

from midfill.cli import next_edit
from midfill.cli.file_place import position, read_place
from midfill.cli.files import own_settings
from midfill.cli.repository import open_repository, wait_for_index
from midfill.common.cancel import CancelFlag
from midfill.common.file_identity import resolve
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.outcomes import explain
from midfill.outcomes.journal import Journal


def run(args: argparse.Namespace) -> int:
    """Print the suggestion, or with ``--explain`` how it was made.

    Raises:
        UsageError: there is no such position.
        MidfillError: as :func:`midfill.completion.engine.load_engine`.
    """
    place = read_place(args.place)
    if args.next_edit is not None:
        return next_edit.run(place, args.next_edit, args.bundle, as_json=args.json, explained=args.explain)
    settings = dataclasses.replace(own_settings(args.bundle), deadline_ms=0)
    with nullcontext() if args.no_workspace else open_repository(place.path, settings) as workspace:
        started = time.perf_counter()
        engine = load_engine(settings, workspace=workspace)
        milliseconds = {"load": round((time.perf_counter() - started) * 1000, 2)}
        if workspace is not None and not workspace.wait_until_built(0):
            started = time.perf_counter()
            wait_for_index(workspace)
            milliseconds["index"] = round((time.perf_counter() - started) * 1000, 2)
        request = Request(text=place.text, offset=place.offset, path=str(resolve(place.path)), max_lines=args.max_lines)
        done = engine.complete(request, CancelFlag())
    entry = Journal().add(request, done)
    milliseconds |= done.milliseconds
    if args.json:
        found = {
            "text": done.text,
            "range": {"start": position(place.text, done.start), "end": position(place.text, done.end)},
            "model": done.model,
            "tokens": done.tokens,
            "prompt_tokens": done.prompt_tokens,
            "milliseconds": milliseconds,
            "reason": done.reason,
            **({"explanation": explain.to_json(entry, engine.spell)} if args.explain else {}),
        }
        sys.stdout.write(f"{json.dumps(found, indent=2)}\n")
        return 0
    if args.explain:
        sys.stdout.write(f"{explain.to_markdown(entry, engine.spell)}\n")
    elif done.text:
        sys.stdout.write(done.text.replace("\r\n", "\n") + "\n")
    stages = ", ".join(f"{stage} {value:.0f}" for stage, value in milliseconds.items())
    summary = f"{done.tokens} tokens" if done.text else f"no suggestion ({done.reason})"
    sys.stderr.write(f"{summary}; {done.prompt_tokens} prompt tokens; milliseconds: {stages}; {done.model}\n")
    return 0
