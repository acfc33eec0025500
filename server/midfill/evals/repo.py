"""What other files of the workspace are worth: the same gaps, with their package indexed and without.

Each package is copied into a folder of its own, with all gaps taken out of the copy: nothing that is indexed holds an
answer. A request is timed as typing makes it: its prompt was computed three characters before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from midfill.common.cancel import CancelFlag
from midfill.common.errors import EvalError
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.types import Completion, Request
from midfill.evals.repo_tasks import package_folder
from midfill.evals.report import Rate
from midfill.evals.runner import OnProgress
from midfill.evals.tasks import EvalTask

DEFAULT_TASKS = 150
"""How many tasks are enough for an estimate."""
_TYPED = 3
"""Characters between the request that computes the prompt and the one that is timed."""
_INDEXED_WITHIN = 120.0
"""Seconds."""


class Indexed(WorkspaceRetrieval, Protocol):
    """An index of some folders; :class:`midfill.retrieval.service.Workspace` in earnest."""

    def wait_until_built(self, seconds: float) -> bool:
        """Wait until everything is indexed; False if it takes longer."""

    def close(self) -> None:
        """End it."""


class InWorkspace(Protocol):
    """What completes with or without an index; :class:`midfill.completion.engine.Engine` in earnest."""

    workspace: WorkspaceRetrieval | None

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Suggest."""


@dataclass(frozen=True, kw_only=True)
class RepoAnswer:
    """What came of one gap."""

    completion: str
    reason: str
    """Why there is none; "" when there is one."""
    exact: bool
    similarity: float
    prompt_tokens: int
    first_milliseconds: float
    """Of the request before: the prompt and one token."""
    milliseconds: float
    """Of the request itself, three characters later."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One gap, asked for twice."""

    task: str
    package: str
    expected: str
    without: RepoAnswer
    within: RepoAnswer
    """With its package indexed."""


@dataclass(frozen=True, kw_only=True)
class RepoReport:
    """The results of all gaps, one at least."""

    selection: str
    model: str
    pairs: tuple[Pair, ...]

    @property
    def gained(self) -> int:
        """How many are right with the context only."""
        return sum(pair.within.exact and not pair.without.exact for pair in self.pairs)

    @property
    def lost(self) -> int:
        """How many are right without the context only."""
        return sum(pair.without.exact and not pair.within.exact for pair in self.pairs)

    @property
    def sides(self) -> dict[str, list[RepoAnswer]]:
        """All answers without the context, and with it."""
        return {
            "without": [pair.without for pair in self.pairs],
            "within": [pair.within for pair in self.pairs],
        }

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return what JSON can hold, with the result of every task if ``rows``."""
        summary: dict[str, Any] = {
            "suite": "repo",
            "selection": self.selection,
            "model": self.model,
            "tasks": len(self.pairs),
            **{name: _summary(answers) for name, answers in self.sides.items()},
            "gained": self.gained,
            "lost": self.lost,
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(pair) for pair in self.pairs]
        return summary

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        lines = [f"repo: {len(self.pairs)} tasks ({self.selection}), model {self.model or 'unknown'}"]
        for name, title in (("without", "the file alone"), ("within", "with its package")):
            figures = _summary(self.sides[name])
            lines += [
                f"  {title}",
                f"    exact match  {_exact(self.sides[name])}",
                f"    similarity   {figures['similarity']:.1%}",
                f"    time         median {figures['milliseconds']:.0f} ms three characters on,"
                f" {figures['first_milliseconds']:.0f} ms at first; {figures['prompt_tokens']:.0f} tokens of prompt",
            ]
        lines.append(f"  right with its package only {self.gained}, right without only {self.lost}")
        return "\n".join(lines)


def run(
    engine: InWorkspace,
    open_workspace: Callable[[Path], Indexed],
    tasks: Sequence[EvalTask],
    selection: str,
    progress: OnProgress,
    folder_of: Callable[[str], Path | None] = package_folder,
) -> RepoReport:
    """Ask for each gap, once with its package indexed by ``open_workspace`` and once without.

    ``folder_of`` tells where a package is.

    Raises:
        EvalError: A package cannot be copied or indexed.
    """
    pairs: dict[str, Pair] = {}
    model = ""
    before = engine.workspace
    try:
        for package in dict.fromkeys(task.group for task in tasks):
            gaps = [task for task in tasks if task.group == package]
            with _copied(package, folder_of(package), gaps) as folder, _indexed(open_workspace, folder) as workspace:
                for task in gaps:
                    here = replace(task, path=str(folder / task.path))
                    answers: dict[bool, RepoAnswer] = {}
                    # In turns: what is asked second finds guesses in what was suggested first.
                    for indexed in (False, True) if len(pairs) % 2 else (True, False):
                        engine.workspace = workspace if indexed else None
                        answers[indexed], model = _ask(engine, here)
                    pairs[task.name] = Pair(
                        task=task.name,
                        package=package,
                        expected=task.expected,
                        without=answers[False],
                        within=answers[True],
                    )
                    progress(len(pairs), len(tasks))
    finally:
        engine.workspace = before
    return RepoReport(selection=selection, model=model, pairs=tuple(pairs[task.name] for task in tasks))


@contextlib.contextmanager
def _copied(package: str, source: Path | None, gaps: Sequence[EvalTask]) -> Iterator[Path]:
    """Make a workspace of a package, in which all that is asked for is missing.

    It cannot be indexed where it is installed: what is in ``site-packages`` is not somebody's own work.
    """
    if source is None:
        raise EvalError(f"The package '{package}' is not installed any more.")
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as temporary:
        folder = Path(temporary).resolve() / package
        try:
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
            for path in {task.path for task in gaps}:
                (folder / path).write_text(without_gaps([gap for gap in gaps if gap.path == path]), encoding="utf-8")
        except (OSError, shutil.Error) as error:
            raise EvalError(f"The package '{package}' cannot be copied: {error}") from error
        yield folder


def without_gaps(gaps: Sequence[EvalTask]) -> str:
    """Return the file that all ``gaps`` are of without what was cut out of any of them."""
    text = gaps[0].prefix + gaps[0].expected + gaps[0].suffix
    for gap in sorted(gaps, key=lambda gap: len(gap.prefix), reverse=True):
        text = text[: len(gap.prefix)] + text[len(gap.prefix) + len(gap.expected) :]
    return text


@contextlib.contextmanager
def _indexed(open_workspace: Callable[[Path], Indexed], folder: Path) -> Iterator[Indexed]:
    workspace = open_workspace(folder)
    try:
        if not workspace.wait_until_built(_INDEXED_WITHIN):
            raise EvalError(f"A package was not indexed within {_INDEXED_WITHIN:.0f} s.")
        yield workspace
    finally:
        workspace.close()


def _ask(engine: InWorkspace, task: EvalTask) -> tuple[RepoAnswer, str]:
    """Return the answer to a gap, and the model's name."""
    request = task.request()
    start = request.offset - _TYPED
    earlier = replace(request, text=task.prefix[:start] + task.suffix, offset=start, max_tokens=1)
    _, first = _timed(engine, earlier)
    completion, milliseconds = _timed(engine, request)
    answer = RepoAnswer(
        completion=completion.text,
        reason=completion.reason,
        exact=task.is_exact(completion),
        similarity=task.similarity(completion),
        prompt_tokens=completion.prompt_tokens,
        first_milliseconds=first,
        milliseconds=milliseconds,
    )
    return answer, completion.model


def _timed(engine: InWorkspace, request: Request) -> tuple[Completion, float]:
    started = time.perf_counter()
    completion = engine.complete(request, CancelFlag())
    return completion, (time.perf_counter() - started) * 1000


def _exact(answers: Sequence[RepoAnswer]) -> Rate:
    return Rate(sum(answer.exact for answer in answers), len(answers))


def _summary(answers: Sequence[RepoAnswer]) -> dict[str, Any]:
    return {
        "exact": _exact(answers).to_json(),
        "similarity": statistics.fmean(answer.similarity for answer in answers),
        "prompt_tokens": statistics.median(answer.prompt_tokens for answer in answers),
        "first_milliseconds": statistics.median(answer.first_milliseconds for answer in answers),
        "milliseconds": statistics.median(answer.milliseconds for answer in answers),
    }
