"""What can be said on the command line: the commands, their arguments, and what each is for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from midfill import __version__
from midfill.common.errors import UsageError

AddCommand = Callable[[str, str], argparse.ArgumentParser]
"""A command's name, what it does -> its own parser."""

_COUNT = re.compile(r"0*[1-9][0-9]{0,8}")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all of Midfill's."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`.")


def make_parser() -> argparse.ArgumentParser:
    """Return a parser whose result has the ``command`` that was named, and what was said with it.

    Parsing raises UsageError for what makes no sense.
    """
    parser = _Parser(prog="midfill", description="Private, offline code completion.")
    _add_debug(parser, default=False)
    parser.add_argument("--version", action="version", version=f"midfill {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        _add_debug(sub, default=argparse.SUPPRESS)  # or it would undo a --debug before the command
        return sub

    serve = command("serve", "Serve an editor over standard input and output (the default) or TCP.")
    transport = serve.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak over standard input and output")
    transport.add_argument("--tcp", metavar="HOST:PORT", help="listen for one client")
    serve.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING", "ERROR"))

    complete = command("complete", "Complete a file at a place and print the ghost text.")
    complete.add_argument("place", metavar="FILE:LINE:COL", help="line and column from 1, as editors show them")
    complete.add_argument("--max-lines", type=_positive, help="most lines of the suggestion")
    _add_bundle(complete)
    _add_json(complete)

    complete.add_argument("--explain", action="store_true", help="show why: the verdict, and the exact prompt by parts")
    complete.add_argument("--no-workspace", action="store_true", help="read nothing but the file itself")

    _add_do(command)
    _add_records(command)
    _add_harness(command)

    _add_weights(command)

    doctor = command("doctor", "Check this installation and time one completion.")
    _add_bundle(doctor)
    _add_json(doctor)

    bench = command("bench", "Measure the speed of this machine with this bundle.")
    bench.add_argument("--peer", metavar="llama-server=PATH", help="measure llama.cpp's server beside, in turns")
    bench.add_argument("--peer-model", type=Path, metavar="FILE.gguf", help="its model (default: the bundle's source)")
    bench.add_argument("--quick", action="store_true", help="fewer runs and a shorter replay")
    bench.add_argument("--key-ms", type=_positive, metavar="N", help="typing speed: milliseconds a key (default: 200)")
    bench.add_argument("--report", type=Path, metavar="FILE.md", help="write a page with plots too")
    _add_bundle(bench)
    _add_json(bench)

    _add_eval(command)
    return parser


def _add_weights(command: AddCommand) -> None:
    """Add what fetches weights and makes bundles of them."""
    pull = command("pull", "Download a model, or take in its file brought by hand, and make its bundle.")
    pull.add_argument("what", nargs="?", metavar="MODEL|PATH", help="0.5b (the default), 1.5b, or a file")
    pull.add_argument("--model", default="0.5b", help="the model, when no MODEL or PATH is named")
    pull.add_argument("--weights-only", action="store_true", help="make no bundle; `midfill export` can, by torch")
    _add_acceptance(pull)

    export = command("export", "Convert weights into an INT8 bundle.")
    export.add_argument("source", metavar="SOURCE", help="a GGUF file, a checkpoint folder or a hub id")
    export.add_argument("-o", "--out", metavar="DIR", type=Path, help="the bundle's folder (default: in the cache)")
    export.add_argument("--target", choices=("vnni", "avx2", "arm64"), help="processor kind (default: this one's)")
    export.add_argument("--compare", action="store_true", help="measure every way to quantise; write no bundle")
    export.add_argument(
        "--template", metavar="FILE", type=Path, help="write what `pull` needs instead of torch; no bundle"
    )
    export.add_argument(
        "--eval-limit", type=_positive, metavar="N", help="with --compare: tasks of humaneval-single to run"
    )
    export.add_argument(
        "--context", type=_positive, metavar="TOKENS", help="longest context (default: the trained one)"
    )
    export.add_argument(
        "--rope", metavar="METHOD", help="how to go beyond the trained context: linear, ntk, yarn or base=NUMBER"
    )
    _add_acceptance(export)
    _add_json(export)

    tune = command("tune", "Fine-tune a model on your own code, on this machine.")
    tune.add_argument("path", metavar="PATH", type=Path, help="the folder with the code")
    tune.add_argument("--minutes", type=_positive, default=20, metavar="N", help="of training (default: 20)")
    tune.add_argument("--base", metavar="SOURCE", help="what to tune, as for `export` (default: the pulled 0.5b)")
    tune.add_argument("-o", "--out", metavar="DIR", type=Path, help="the bundle's folder (default: in the cache)")
    tune.add_argument("--fresh", action="store_true", help="start anew instead of going on with an interrupted run")
    _add_acceptance(tune)
    _add_json(tune)


def _add_acceptance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accept-license", action="store_true", help="accept a licence that restricts commercial use, having read it"
    )


def _add_eval(command: AddCommand) -> None:
    evaluate = command("eval", "Measure the quality of suggestions.")
    evaluate.add_argument(
        "suite",
        metavar="SUITE",
        help="humaneval-single, humaneval-multi, humaneval-span, languages, repo, replay, actions, needle, multipl-e, "
        "mt-bench-coding or quant",
    )
    evaluate.add_argument("--limit", type=_positive, metavar="N", help="run N tasks only, the first ones")
    evaluate.add_argument("--spread", action="store_true", help="take the N tasks evenly from all of them")
    evaluate.add_argument(
        "--without", metavar="PART[,PART]", help="leave parts of the pipeline out, to see their worth"
    )
    evaluate.add_argument("--lengths", metavar="N[,N]", help="with needle: tokens between definition and call")
    evaluate.add_argument(
        "--only", metavar="ACTION[,ACTION]", help="with actions: fix, write, document, tests, simplify"
    )
    evaluate.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="with actions and multipl-e: where results are kept as they come, and gone on from",
    )
    evaluate.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="with multipl-e: its .jsonl files; with mt-bench-coding: question.jsonl",
    )
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="with mt-bench-coding: where the answers go")
    evaluate.add_argument("--source", metavar="SOURCE", help="with quant: as for `export` (default: the pulled 0.5b)")
    _add_bundle(evaluate)
    _add_json(evaluate)


def _add_do(command: AddCommand) -> None:
    """Add what asks the model to do something with code."""
    do = command("do", "Explain, fix, document, test or rewrite code, and print a diff or an explanation.")
    do.add_argument(
        "action",
        metavar="ACTION",
        help="fix, write, document, types, simplify, faster, tests, explain, review or ask",
    )
    do.add_argument("place", metavar="FILE[:LINE[-LINE]]", help="lines from 1; one line means the definition it is in")
    do.add_argument(
        "--message", metavar="TEXT", help="the error to fix, or a traceback; - to read it from standard input"
    )
    do.add_argument("--instruction", metavar="TEXT", help="what to write or to ask, in your words")
    do.add_argument("--write", action="store_true", help="change the file instead of printing a diff")
    _add_bundle(do)
    _add_json(do)


def _add_harness(command: AddCommand) -> None:
    """Add what runs scripts against the real server."""
    harness = command("harness", "Run scripts of what is typed and what must be suggested, as in a CI.")
    harness.add_argument("scripts", nargs="+", type=Path, metavar="SCRIPT", help="YAML, or JSON with a step a line")
    _add_bundle(harness)


def _add_records(command: AddCommand) -> None:
    """Add what tells of past requests and of what can be set."""
    why = command("why", "Say what became of the last requests of a running or past server, without text.")
    why.add_argument("--last", type=_positive, default=1, metavar="N", help="the last N requests (default: 1)")
    _add_json(why)

    stats = command("stats", "Show what became of suggestions on this machine.")
    _add_json(stats)

    known = command("settings", "List all settings.")
    _add_json(known)


def _add_debug(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument("--debug", action="store_true", default=default, help="show the whole traceback of an error")


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the model bundle (default: in the cache)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _positive(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 1 to 999999999")
    return int(text)
