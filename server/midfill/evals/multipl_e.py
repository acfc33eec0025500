"""The suite ``multipl-e``: whole functions in several languages, after MultiPL-E (Cassano et al., 2022).

MultiPL-E's JSON lines have, for each problem, a prompt (declaration and comment), tests, and the texts that end an
answer. The model continues the prompt with greedy decoding. The answer is cut at the first of those texts and put
between prompt and tests. It passes if the program ends without an error; the score is pass@1. Without a file of
MultiPL-E, the problems are those of HumanEval, in Python.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midfill.common.errors import EvalError
from midfill.common.limits import MAX_FILE_BYTES
from midfill.common.regular_file import read_regular
from midfill.evals import humaneval
from midfill.evals.continuation import Continuation
from midfill.evals.report import Rate
from midfill.evals.resume_file import append_result, read_results
from midfill.evals.runner import OnProgress
from midfill.evals.tool_chains import CHAINS, needs_javatuples, run_program

_PYTHON_STOPS = ("\ndef", "\n#", "\nif", "\nclass", "\nprint", "\n@")
"""The texts that end a function of HumanEval."""

ContinueText = Callable[[str, Sequence[str]], Continuation]
"""Continues a text; takes the text, and the texts that end its continuation."""


@dataclass(frozen=True, kw_only=True)
class MultiplEProblem:
    """A function that the model has to write."""

    name: str
    language: str
    """MultiPL-E's name of the language, as in ``CHAINS``."""
    prompt: str
    tests: str
    stop_tokens: tuple[str, ...]

    def program(self, answer: str) -> str:
        """Return the program that tests an answer."""
        return f"{self.prompt}{answer}\n{self.tests}"


@dataclass(frozen=True, kw_only=True)
class ProgramResult:
    """The result of one problem."""

    model: str
    language: str
    task: str
    passed: bool
    reason: str
    """Why it did not pass; "" if it passed."""
    answer: str
    tokens: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MultiplEReport:
    """The results in all languages."""

    selection: str
    model: str
    rows: tuple[ProgramResult, ...]
    not_run: tuple[str, ...] = ()
    """Which problems could not be run on this machine, and why; one line for each reason."""

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with every result if ``rows``."""
        summary: dict[str, Any] = {
            "suite": "multipl-e",
            "selection": self.selection,
            "model": self.model,
            "languages": {
                language: {
                    "tasks": len(results),
                    "passed": _passed(results).to_json(),
                    "tokens": sum(row.tokens for row in results),
                    "seconds": statistics.median(row.seconds for row in results),
                }
                for language, results in self._by_language().items()
            },
            "not_run": list(self.not_run),
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        lines = [f"multipl-e: pass@1, greedy ({self.selection}), model {self.model}"]
        lines += [f"  {CHAINS[language].name:<11} {_passed(rows)}" for language, rows in self._by_language().items()]
        return "\n".join(lines + [f"  not run: {reason}" for reason in self.not_run])

    def _by_language(self) -> dict[str, list[ProgramResult]]:
        languages = dict.fromkeys(row.language for row in self.rows)
        return {language: [row for row in self.rows if row.language == language] for language in languages}


def problems(path: Path | None) -> list[MultiplEProblem]:
    """Return the problems of a MultiPL-E file, or of all such files in a folder; HumanEval's if ``path`` is None.

    Raises:
        EvalError: there are none, or a line is not a problem.
    """
    if path is None:
        return [_of_humaneval(**problem) for problem in humaneval.problems()]
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    found = [problem for file in files for problem in _read(file)]
    if not found:
        raise EvalError(f"{path} has no problems: name a .jsonl file of MultiPL-E, or a folder with such files.")
    return found


def runnable(chosen: Sequence[MultiplEProblem]) -> tuple[list[MultiplEProblem], tuple[str, ...]]:
    """Return the problems that this machine can run, and one line for each reason why it cannot run others."""
    can_run: list[MultiplEProblem] = []
    not_run: dict[str, int] = {}
    for problem in chosen:
        chain = CHAINS.get(problem.language)
        if chain is None:
            reason = f"'{problem.language}', which is not one of {', '.join(CHAINS)}"
        elif chain.missing:
            reason = f"{chain.name}, because {chain.missing} is not installed"
        elif problem.language == "java" and needs_javatuples(problem.program("")):
            reason = "Java with tuples, because no javatuples*.jar is in CLASSPATH"
        else:
            can_run.append(problem)
            continue
        not_run[reason] = not_run.get(reason, 0) + 1
    return can_run, tuple(f"{count} of {reason}" for reason, count in not_run.items())


def run(
    continue_text: ContinueText,
    model: str,
    chosen: Sequence[MultiplEProblem],
    selection: str,
    progress: OnProgress,
    resume: Path | None = None,
) -> MultiplEReport:
    """Let the model solve every problem. A program runs while the next one is generated.

    Each result is added to the file ``resume`` at once. A problem whose result for this model is in the file is not
    run again.

    Raises:
        EvalError: the file cannot be read or written, or this machine can run none of the problems.
    """
    can_run, not_run = runnable(chosen)
    if not can_run:
        raise EvalError(f"this machine can run none of the problems: {'; '.join(not_run) or 'there are none'}.")
    known = {(row.language, row.task): row for row in read_results(resume, ProgramResult) if row.model == model}

    def checked(problem: MultiplEProblem, answer: Continuation) -> ProgramResult:
        run_result = run_program(problem.language, problem.program(answer.text))
        row = ProgramResult(
            model=model,
            language=problem.language,
            task=problem.name,
            passed=run_result.passed,
            reason=run_result.reason,
            answer=answer.text,
            tokens=answer.tokens,
            seconds=round(answer.seconds, 2),
        )
        append_result(resume, row)
        return row

    rows: list[ProgramResult | Future[ProgramResult]] = []
    with ThreadPoolExecutor(max_workers=1) as checker:  # the model needs the other cores
        for done, problem in enumerate(can_run, start=1):
            row = known.get((problem.language, problem.name))
            rows.append(row or checker.submit(checked, problem, continue_text(problem.prompt, problem.stop_tokens)))
            progress(done, len(can_run))
        ran = tuple(row if isinstance(row, ProgramResult) else row.result() for row in rows)
    return MultiplEReport(selection=selection, model=model, rows=ran, not_run=not_run)


def _passed(rows: Sequence[ProgramResult]) -> Rate:
    return Rate(sum(row.passed for row in rows), len(rows))


def _of_humaneval(*, task_id: str, prompt: str, test: str, entry_point: str, **_: str) -> MultiplEProblem:
    tests = f"{test}\ncheck({entry_point})\n"
    return MultiplEProblem(name=task_id, language="py", prompt=prompt, tests=tests, stop_tokens=_PYTHON_STOPS)


def _read(file: Path) -> list[MultiplEProblem]:
    found = []
    try:
        lines = read_regular(file, MAX_FILE_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{file} cannot be read: {type(error).__name__}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            texts = {key: data[key] for key in ("name", "language", "prompt", "tests")}
            stops = data["stop_tokens"]
            if not all(isinstance(text, str) for text in (*texts.values(), *stops)):
                raise TypeError
        except (ValueError, LookupError, TypeError) as error:
            raise EvalError(
                f"{file}:{number}: this line is not a problem: it needs the texts name, language, prompt and tests,"
                " and the list stop_tokens."
            ) from error
        found.append(MultiplEProblem(**texts, stop_tokens=tuple(stops)))
    return found
