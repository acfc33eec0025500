"""`midfill eval`: runs a suite with the engine that the settings describe, and prints its report."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

from tqdm import tqdm

from midfill.chat.conversation import Conversation
from midfill.cli import eval_edits
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.errors import EvalError, UsageError
from midfill.common.os_errors import explain
from midfill.completion.engine import ABLATIONS, CompletionEngine, load_engine
from midfill.completion.types import Completion, Request
from midfill.evals import (
    action_tasks,
    actions,
    in_repo_actions,
    mt_bench,
    multipl_e,
    needle,
    replay,
    repo,
    repo_tasks,
    suites,
    typed_scenes,
)
from midfill.evals.continuation import Continuer
from midfill.evals.report import SuiteReport
from midfill.evals.runner import OnProgress
from midfill.evals.sources import pick
from midfill.next_edit.predictor import ABLATIONS as EDIT_ABLATIONS
from midfill.retrieval.service import Workspace
from midfill.settings.schema import MEASURED_CONTEXT, Settings


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``args.suite`` and print its report.

    Raises:
        UsageError: an option names a part or an action that does not exist.
        EvalError: the suite's data is not on this machine.
        BundleError, ModelError: as :func:`midfill.completion.engine.load_engine`.
    """
    ablations = _ablations(args.without, EDIT_ABLATIONS if args.suite == suites.EDITS else ABLATIONS)
    edit_questions = eval_edits.questions(args) if args.suite == suites.EDITS else None
    chosen = actions.names(args.only) if args.suite == suites.ACTIONS else ()
    problems = multipl_e.problems(args.data) if args.suite == suites.MULTIPL_E else []
    questions = _questions(args.data) if args.suite == suites.MT_BENCH else []
    settings = _with_room_for_answers(args.suite, settings)
    lengths = _lengths(args.lengths)
    if args.suite == suites.NEEDLE:
        settings = _with_context_of(settings, max(lengths))
    engine = load_engine(settings)
    engine.ablations = ablations
    with tqdm(unit=" tasks", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        if args.suite == suites.ACTIONS:
            result = _run_actions(engine, chosen, args, progress)
        elif edit_questions is not None:
            result = eval_edits.run(engine.model, edit_questions, ablations, args.resume, progress)
        elif args.suite == suites.NEEDLE:
            result = _run_needle(engine, lengths, args.limit, progress)
        elif args.suite == suites.MULTIPL_E:
            picked, selection = suites.choose(problems, args.limit, None, spread_out=args.spread)
            continue_text = Continuer(engine.model, engine.settings.now.draft_tokens).continue_text
            result = multipl_e.run(continue_text, engine.model.manifest.name, picked, selection, progress, args.resume)
        elif args.suite == suites.MT_BENCH:
            picked_questions, _ = suites.choose(questions, args.limit, None, spread_out=args.spread)
            result = _run_mt_bench(engine, picked_questions, progress)
        else:
            result = _run(args.suite, engine, args.limit, args.spread, progress)
    if args.out:
        _write(args.out, result.to_text())
    elif args.json:
        data = {"left_out": sorted(ablations), **result.to_json(rows=True)}
        sys.stdout.write(f"{json.dumps(data, indent=2)}\n")
    else:
        left_out = f"without {', '.join(sorted(ablations))}\n" if ablations else ""
        sys.stdout.write(f"{left_out}{result.to_text()}\n")
    return 0


def _run(
    suite: str, engine: CompletionEngine, limit: int | None, spread_out: bool, progress: OnProgress
) -> SuiteReport:
    complete = partial(_complete, engine)
    if suite == suites.REPO:
        tasks, selection = suites.choose(repo_tasks.tasks(), limit or repo.DEFAULT_TASKS, None, spread_out=spread_out)
        return repo.run(engine, _open_workspace, tasks, selection, progress)
    if suite == suites.REPLAY:
        scenes, selection = suites.choose(typed_scenes.scenes(), limit, None, spread_out=spread_out)
        return replay.run(complete, scenes, selection, progress)
    return suites.run(suite, complete, limit, progress, spread_out=spread_out)


def _run_actions(
    engine: CompletionEngine, chosen: Sequence[str], args: argparse.Namespace, progress: OnProgress
) -> SuiteReport:
    do = actions.performed_by(Conversation(engine.model, max_draft_tokens=engine.settings.now.draft_tokens))
    name = engine.model.manifest.name
    if args.in_repo:
        tasks, selection = suites.choose(
            in_repo_actions.functions(), args.limit, actions.DEFAULT_TASKS, spread_out=args.spread
        )
        tokens = engine.settings.now.workspace_tokens
        return in_repo_actions.run(
            do, lambda folder: Workspace([folder]), name, tasks, selection, progress, max_tokens=tokens
        )
    problems, selection = suites.choose(
        action_tasks.all_functions(), args.limit, actions.DEFAULT_TASKS, spread_out=args.spread
    )
    return actions.run(do, name, chosen, problems, selection, progress, args.resume, run_code=args.run_code)


def _run_needle(
    engine: CompletionEngine, lengths: Sequence[int], limit: int | None, progress: OnProgress
) -> SuiteReport:
    count = min(limit or needle.DEFAULT_NEEDLES, needle.MAX_NEEDLES)
    room = engine.model.manifest.usable_context - needle.RESERVED_TOKENS
    sources = [text for _, text in pick(language_of("a.py"), needle.HAY_FILES)]
    tokens_of = lru_cache(None)(lambda line: len(engine.model.tokenizer.encode(line)))
    made = [each for length in lengths if length <= room for each in needle.needles(length, count, sources, tokens_of)]
    if not made:
        raise UsageError(f"the model's context has room for {room} tokens: name smaller numbers with --lengths.")
    too_long = [length for length in lengths if length > room]
    return needle.run(partial(_complete, engine), made, too_long, progress)


def _questions(data: Path | None) -> list[mt_bench.Question]:
    if data is None:
        raise UsageError("mt-bench-coding needs --data with the path of MT-Bench's question.jsonl.")
    return mt_bench.questions(data)


def _run_mt_bench(
    engine: CompletionEngine, questions: Sequence[mt_bench.Question], progress: OnProgress
) -> SuiteReport:
    conversation = Conversation(engine.model, max_draft_tokens=engine.settings.now.draft_tokens)
    return mt_bench.run(
        lambda messages: conversation.answer(messages, CancelFlag()).text,
        engine.model.manifest.name,
        questions,
        progress,
    )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise EvalError(f"{file} cannot be written: {explain(error)}.") from error


def check(args: argparse.Namespace) -> None:
    """Check that the suite exists, and that it has the given options.

    Raises:
        UsageError: otherwise.
    """
    if args.suite not in suites.SUITES:
        raise UsageError(f"there is no suite '{args.suite}'; the suites are {', '.join(suites.SUITES)}.")
    for option, having in suites.OPTIONS.items():
        if getattr(args, option) and args.suite not in having:
            names = " and ".join(f"'{suite}'" for suite in suites.SUITES if suite in having)
            raise UsageError(f"--{option} is for the suite{'s' if len(having) > 1 else ''} {names}.")


def _complete(engine: CompletionEngine, request: Request) -> Completion:
    return engine.complete(request, CancelFlag())


def _open_workspace(folder: Path) -> Workspace:
    return Workspace([folder])


def _ablations(text: str | None, known: Sequence[str]) -> frozenset[str]:
    """Read the names of parts, separated by commas."""
    parts = frozenset(part.strip() for part in text.split(",")) if text else frozenset()
    for unknown in sorted(parts - set(known)):
        raise UsageError(f"there is no part '{unknown}'; the parts are {', '.join(known)}.")
    return parts


def _lengths(text: str | None) -> Sequence[int]:
    """Read numbers of tokens, separated by commas."""
    if text is None:
        return needle.LENGTHS
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 100 <= int(part) <= 1_000_000 for part in parts):
        raise UsageError("--lengths needs whole numbers from 100 to 1000000, separated by commas.")
    return sorted({int(part) for part in parts})


def _with_context_of(settings: Settings, tokens: int) -> Settings:
    """Return settings with which the prompt has the whole document of ``tokens`` tokens, and no other file."""
    context = tokens + tokens // 4 + needle.RESERVED_TOKENS  # lines counted one by one may have fewer tokens
    return dataclasses.replace(settings, context_tokens=context, workspace_tokens=0, cache_megabytes=1, deadline_ms=0)


def _with_room_for_answers(name: str, settings: Settings) -> Settings:
    """Return settings that allow the longest answer of a suite, with the same context length on every machine."""
    settings = dataclasses.replace(settings, context_tokens=settings.context_tokens or MEASURED_CONTEXT)
    suite = suites.GAP_SUITES.get(name)
    if suite is None:
        return settings
    return dataclasses.replace(
        settings,
        max_lines=max(settings.max_lines, suite.max_lines),
        max_tokens=max(settings.max_tokens, suite.max_tokens),
    )
