"""The arguments of the commands for measuring and testing."""

from __future__ import annotations

from pathlib import Path

from midfill.cli.options import AddCommand, add_bundle, add_engine, add_json, count

_SUITES = """

suites:
  humaneval-single  one line, cut out of HumanEval's solutions
  humaneval-multi   several lines, cut out of HumanEval's solutions
  humaneval-span    random spans of characters, cut out of HumanEval's solutions
  languages         one line in files of some twenty languages on this machine
  repo              a line that uses another file, with the repository and without
  replay            files typed again: what is shown, and how much of it is right
  actions           code actions on HumanEval's functions
  needle            how far back in a long file the model looks
  multipl-e         whole functions in eight languages (MultiPL-E)
  mt-bench-coding   answers to MT-Bench's coding questions, for a judge of yours
  edits             the next edit of real changes, and silence where nothing changes
  quant             every way to quantise a model (needs the export extra)"""


def add(command: AddCommand) -> None:
    """Add the commands."""
    _add_bench(command)
    _add_eval(command)
    _add_harness(command)


def _add_bench(command: AddCommand) -> None:
    bench = command(
        "bench", "Measure how fast this machine runs a bundle.", "midfill bench --quick --history history.jsonl"
    )
    bench.add_argument("--quick", action="store_true", help="measure less: fewer runs, and fewer keystrokes")
    bench.add_argument(
        "--key-ms", type=count, metavar="N", help="typing speed: milliseconds from key to key (default: 200)"
    )
    bench.add_argument(
        "--peer", metavar="llama-server=PATH", help="measure llama.cpp's server too, in turns with Midfill"
    )
    bench.add_argument(
        "--peer-model", type=Path, metavar="FILE.gguf", help="the peer's model (default: the bundle's own weights)"
    )
    bench.add_argument(
        "--shared",
        action="store_true",
        help="measure only how much later a first token comes from the process that servers share",
    )
    bench.add_argument(
        "--team",
        type=count,
        metavar="N",
        help="measure instead how an engine serves up to N developers who type at once",
    )
    bench.add_argument(
        "--engine", metavar="URL", help="with --team: the engine's address (default: your setting `engine`)"
    )
    bench.add_argument("--report", type=Path, metavar="FILE.md", help="write a page with plots, too")
    bench.add_argument("--history", type=Path, metavar="FILE", help="add the figures to this file, one JSON line a run")
    bench.add_argument(
        "--plot-history", type=Path, metavar="FILE", help="measure nothing; draw the figures of a history over time"
    )
    bench.add_argument(
        "-o", "--out", type=Path, metavar="FILE.svg", help="with --plot-history or --team: the picture to write"
    )
    add_bundle(bench)
    add_json(bench)


def _add_eval(command: AddCommand) -> None:
    evaluate = command(
        "eval", "Measure how often suggestions and actions are right.", "midfill eval languages --limit 50 --spread"
    )
    evaluate.description = f"{evaluate.description}{_SUITES}"
    evaluate.add_argument("suite", metavar="SUITE", help="one of the suites above")
    evaluate.add_argument("--limit", type=count, metavar="N", help="run only N tasks, the first ones")
    evaluate.add_argument("--spread", action="store_true", help="with --limit: take the tasks evenly from all of them")
    evaluate.add_argument(
        "--without", metavar="PART[,PART]", help="turn off parts of the pipeline, to measure what they contribute"
    )
    add_bundle(evaluate)
    add_engine(evaluate)
    add_json(evaluate)
    some = evaluate.add_argument_group("options of some suites")
    some.add_argument("--lengths", metavar="N[,N]", help="needle: numbers of tokens between definition and call")
    some.add_argument(
        "--only",
        metavar="NAME[,NAME]",
        help="actions: which ones, of fix, write, document, tests, simplify; edits: of given, found, quiet",
    )
    some.add_argument(
        "--in-repo",
        action="store_true",
        help="actions: write functions of packages that use what other files define, each alone and in its package",
    )
    some.add_argument(
        "--run-code", action="store_true", help="actions: let them run code to check their edits, as with `runCode`"
    )
    some.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="actions, multipl-e, edits: keep each result in this file, and do not repeat those that are in it",
    )
    some.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="multipl-e: a .jsonl file or a folder of them; mt-bench-coding: question.jsonl; edits: a git repository, a"
        " release, or the folder of the standard set",
    )
    some.add_argument("--older", type=Path, metavar="PATH", help="edits: the release before the one of --data")
    some.add_argument("--out", type=Path, metavar="FILE", help="mt-bench-coding: write the answers to this file")
    some.add_argument(
        "--source", metavar="SOURCE", help="quant: the weights, as for `midfill export` (default: the pulled 0.5b)"
    )


def _add_harness(command: AddCommand) -> None:
    harness = command(
        "harness",
        "Run scripts of editor steps and expected suggestions, as in a CI.",
        "midfill harness tests/harness/*.yaml",
    )
    harness.add_argument(
        "scripts",
        nargs="+",
        type=Path,
        metavar="SCRIPT",
        help="a YAML list of steps, or a JSON file with a step a line",
    )
    add_bundle(harness)
