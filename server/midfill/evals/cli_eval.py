"""``midfill eval``: runs a suite on the engine that the settings describe, and prints what came of it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

from tqdm import tqdm

from midfill import evals
from midfill.chat.conversation import Conversation
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.errors import EvalError, UsageError
from midfill.completion.engine import ABLATIONS, CompletionEngine, load_engine
from midfill.completion.types import Completion, Request
from midfill.evals import action_tasks, actions, mt_bench, multipl_e, needle, replay, repo, repo_tasks, typed_scenes
from midfill.evals.continuation import Continuer
from midfill.evals.report import Result
from midfill.evals.runner import OnCounted
from midfill.evals.sources import pick
from midfill.retrieval.service import Workspace
from midfill.settings.schema import MEASURED_CONTEXT, Settings


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``args.suite`` and print its result.

    Raises:
        UsageError: There is no such part to leave out, or no such action.
        EvalError: What the suite is made of is not on this machine.
        BundleError, ModelError: as :func:`midfill.completion.engine.load_engine`.
    """
    without = _parts(args.without)
    chosen = actions.names(args.only)
    problems = multipl_e.problems(args.data) if args.suite == evals.MULTIPL_E else []
    asked = _questions(args.data) if args.suite == evals.MT_BENCH else []
    settings = _allowing(args.suite, settings)
    lengths = _lengths(args.lengths)
    if args.suite == evals.NEEDLE:
        settings = _reading(settings, max(lengths))
    engine = load_engine(settings)
    engine.ablations = without
    with tqdm(unit=" tasks", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        if args.suite == evals.ACTIONS:
            result = _run_actions(engine, chosen, args, progress)
        elif args.suite == evals.NEEDLE:
            result = _run_needle(engine, lengths, args.limit, progress)
        elif args.suite == evals.MULTIPL_E:
            picked, selection = evals.choose(problems, args.limit, None, spread_out=args.spread)
            go_on = Continuer(engine.model, engine.settings.now.draft_tokens).go_on
            result = multipl_e.run(go_on, engine.model.manifest.name, picked, selection, progress, args.resume)
        elif args.suite == evals.MT_BENCH:
            picked_questions, _ = evals.choose(asked, args.limit, None, spread_out=args.spread)
            result = _run_mt_bench(engine, picked_questions, progress)
        else:
            result = _run(args.suite, engine, args.limit, args.spread, progress)
    if args.out:
        _write(args.out, result.to_text())
    elif args.json:
        said = {"left_out": sorted(without), **result.to_json(rows=True)}
        sys.stdout.write(f"{json.dumps(said, indent=2)}\n")
    else:
        left_out = f"without {', '.join(sorted(without))}\n" if without else ""
        sys.stdout.write(f"{left_out}{result.to_text()}\n")
    return 0


def _run(suite: str, engine: CompletionEngine, limit: int | None, spread_out: bool, progress: OnCounted) -> Result:
    complete = partial(_complete, engine)
    if suite == evals.REPO:
        tasks, selection = evals.choose(repo_tasks.tasks(), limit or repo.USUAL, None, spread_out=spread_out)
        return repo.run(engine, _open_workspace, tasks, selection, progress)
    if suite == evals.REPLAY:
        scenes, selection = evals.choose(typed_scenes.scenes(), limit, None, spread_out=spread_out)
        return replay.run(complete, scenes, selection, progress)
    return evals.run(suite, complete, limit, progress, spread_out=spread_out)


def _run_actions(
    engine: CompletionEngine, chosen: Sequence[str], args: argparse.Namespace, progress: OnCounted
) -> Result:
    problems, selection = evals.choose(action_tasks.all_problems(), args.limit, actions.USUAL, spread_out=args.spread)
    do = actions.performed_by(Conversation(engine.model, max_draft_tokens=engine.settings.now.draft_tokens))
    return actions.run(do, engine.model.manifest.name, chosen, problems, selection, progress, args.resume)


def _run_needle(engine: CompletionEngine, lengths: Sequence[int], limit: int | None, progress: OnCounted) -> Result:
    count = min(limit or needle.USUAL, needle.MOST)
    room = engine.model.manifest.context_length - needle.ROOM
    sources = [text for _, text in pick(language_of("a.py"), needle.FILES)]
    tokens_of = lru_cache(None)(lambda line: len(engine.model.tokenizer.encode(line)))
    made = [each for length in lengths if length <= room for each in needle.needles(length, count, sources, tokens_of)]
    if not made:
        raise UsageError(f"the model's context has room for {room} tokens.")
    too_long = [length for length in lengths if length > room]
    return needle.run(partial(_complete, engine), made, too_long, progress)


def _questions(data: Path | None) -> list[mt_bench.Question]:
    if data is None:
        raise UsageError("mt-bench-coding wants --data with the path of MT-Bench's question.jsonl.")
    return mt_bench.questions(data)


def _run_mt_bench(engine: CompletionEngine, asked: Sequence[mt_bench.Question], progress: OnCounted) -> Result:
    conversation = Conversation(engine.model, max_draft_tokens=engine.settings.now.draft_tokens)
    return mt_bench.run(
        lambda messages: conversation.answer(messages, CancelFlag()).text,
        engine.model.manifest.name,
        asked,
        progress,
    )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{file} cannot be written: {error.strerror}.") from error


def check(args: argparse.Namespace) -> None:
    """See to it that there is such a suite, and that it has the options given.

    Raises:
        UsageError: otherwise.
    """
    if args.suite not in evals.SUITES:
        raise UsageError(f"there is no suite '{args.suite}'; the suites are {', '.join(evals.SUITES)}.")
    for option, suites in evals.OPTIONS.items():
        if getattr(args, option) and args.suite not in suites:
            those = " and ".join(f"'{suite}'" for suite in evals.SUITES if suite in suites)
            raise UsageError(f"--{option} is for the suite{'s' if len(suites) > 1 else ''} {those}.")


def _complete(engine: CompletionEngine, request: Request) -> Completion:
    return engine.complete(request, CancelFlag())


def _open_workspace(folder: Path) -> Workspace:
    return Workspace([folder])


def _parts(text: str | None) -> frozenset[str]:
    """Read the parts to leave out, separated by commas."""
    parts = frozenset(part.strip() for part in text.split(",")) if text else frozenset()
    for unknown in sorted(parts - set(ABLATIONS)):
        raise UsageError(f"there is no part '{unknown}'; the parts are {', '.join(ABLATIONS)}.")
    return parts


def _lengths(text: str | None) -> Sequence[int]:
    """Read numbers of tokens, separated by commas."""
    if text is None:
        return needle.LENGTHS
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 100 <= int(part) <= 1_000_000 for part in parts):
        raise UsageError("--lengths wants whole numbers from 100 to 1000000, separated by commas.")
    return sorted({int(part) for part in parts})


def _reading(settings: Settings, tokens: int) -> Settings:
    """Return settings with which a document of so many tokens is read whole, and nothing else."""
    whole = tokens + tokens // 4 + needle.ROOM
    return dataclasses.replace(settings, context_tokens=whole, workspace_tokens=0, cache_megabytes=1, deadline_ms=0)


def _allowing(suite: str, settings: Settings) -> Settings:
    """Return the settings with room for the longest answer that a suite asks for, the same on every machine."""
    settings = dataclasses.replace(settings, context_tokens=settings.context_tokens or MEASURED_CONTEXT)
    needs = evals.GAPS.get(suite)
    if needs is None:
        return settings
    return dataclasses.replace(
        settings,
        max_lines=max(settings.max_lines, needs.max_lines),
        max_tokens=max(settings.max_tokens, needs.max_tokens),
    )
