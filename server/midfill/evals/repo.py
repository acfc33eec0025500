"""The suite ``repo``: how much the other files of a workspace help. The same gaps are filled with an index and without.

Each package is copied into its own folder. All gaps are removed from the copy, so the index has no answers. A request
is timed as it is while typing: the prompt was already computed, three characters earlier.
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
"""Number of tasks that run without ``--limit``."""
_TYPED = 3
"""Number of characters between the request that computes the prompt and the request that is timed."""
_INDEX_TIMEOUT_SECONDS = 120.0


class Indexed(WorkspaceRetrieval, Protocol):
    """An index of some folders. Outside of tests it is a :class:`midfill.retrieval.service.Workspace`."""

    def wait_until_built(self, seconds: float) -> bool:
        """Wait until everything is indexed; return False if that takes longer than ``seconds``."""

    def close(self) -> None:
        """Release the index."""


class InWorkspace(Protocol):
    """Completes with or without an index. Outside of tests it is a :class:`midfill.completion.engine.Engine`."""

    workspace: WorkspaceRetrieval | None
    """The index; None for none."""

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Return a suggestion for a request."""


@dataclass(frozen=True, kw_only=True)
class RepoAnswer:
    """The answer to one gap."""

    completion: str
    reason: str
    """Why there is no completion; "" if there is one."""
    exact: bool
    similarity: float
    prompt_tokens: int
    first_milliseconds: float
    """Time of the earlier request, which computes the prompt and one token."""
    milliseconds: float
    """Time of the request itself, three characters later."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two answers to one gap."""

    task: str
    package: str
    expected: str
    without: RepoAnswer
    """The answer without an index."""
    within: RepoAnswer
    """The answer with the package indexed."""


@dataclass(frozen=True, kw_only=True)
class RepoReport:
    """The results of all gaps; there is at least one."""

    selection: str
    model: str
    pairs: tuple[Pair, ...]

    @property
    def gained(self) -> int:
        """Number of gaps that are right with the index only."""
        return sum(pair.within.exact and not pair.without.exact for pair in self.pairs)

    @property
    def lost(self) -> int:
        """Number of gaps that are right without the index only."""
        return sum(pair.without.exact and not pair.within.exact for pair in self.pairs)

    @property
    def sides(self) -> dict[str, list[RepoAnswer]]:
        """All answers without the index, and all answers with it."""
        return {
            "without": [pair.without for pair in self.pairs],
            "within": [pair.within for pair in self.pairs],
        }

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with the result of every task if ``rows``."""
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
                f"    time         median {figures['first_milliseconds']:.0f} ms for the first request,"
                f" {figures['milliseconds']:.0f} ms three characters later;"
                f" {figures['prompt_tokens']:.0f} prompt tokens",
            ]
        lines.append(f"  right only with its package {self.gained}, right only without it {self.lost}")
        return "\n".join(lines)


def run(
    engine: InWorkspace,
    open_workspace: Callable[[Path], Indexed],
    tasks: Sequence[EvalTask],
    selection: str,
    progress: OnProgress,
    folder_of: Callable[[str], Path | None] = package_folder,
) -> RepoReport:
    """Request each gap twice: with its package indexed, and without.

    Args:
        engine: answers the requests.
        open_workspace: indexes a folder.
        tasks: the gaps.
        selection: which of the suite's tasks these are, in words.
        progress: called after each task.
        folder_of: returns the folder of a package, by its name; None if it is not installed.

    Raises:
        EvalError: a package cannot be copied or indexed.
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
                    # In turns: the second request can use the first one's suggestion as a draft.
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
    """Copy a package into a temporary workspace, without the text of the gaps.

    The index skips ``site-packages``, so the package cannot be indexed where it is installed.
    """
    if source is None:
        raise EvalError(f"the package '{package}' is not installed any more: install it, or run the suite again.")
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as temporary:
        folder = Path(temporary).resolve() / package
        try:
            shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
            for path in {task.path for task in gaps}:
                (folder / path).write_text(
                    without_gaps([gap for gap in gaps if gap.path == path]), encoding="utf-8", newline="\n"
                )
        except (OSError, shutil.Error) as error:
            raise EvalError(f"the package '{package}' cannot be copied: {error}") from error
        yield folder


def without_gaps(gaps: Sequence[EvalTask]) -> str:
    """Return the text of a file without all of its ``gaps``."""
    text = gaps[0].prefix + gaps[0].expected + gaps[0].suffix
    for gap in sorted(gaps, key=lambda gap: len(gap.prefix), reverse=True):
        text = text[: len(gap.prefix)] + text[len(gap.prefix) + len(gap.expected) :]
    return text


@contextlib.contextmanager
def _indexed(open_workspace: Callable[[Path], Indexed], folder: Path) -> Iterator[Indexed]:
    workspace = open_workspace(folder)
    try:
        if not workspace.wait_until_built(_INDEX_TIMEOUT_SECONDS):
            raise EvalError(
                f"a package was not indexed within {_INDEX_TIMEOUT_SECONDS:.0f} s: run again when the machine is idle."
            )
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
