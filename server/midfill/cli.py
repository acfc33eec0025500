"""The command line: one function a command, errors as one line, exit codes 0 done, 1 found a fault, 2 wrong usage.

The only place where ``midfill`` reaches into ``midfill_export``, and only inside the commands that download or convert.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from midfill import __version__
from midfill.cli_files import own_settings
from midfill.errors import MidfillError, UsageError
from midfill.paths import bundles_dir
from midfill.settings import Settings

if TYPE_CHECKING:
    from midfill.bench import PeerChoice

_COUNT = re.compile(r"0*[1-9][0-9]{0,8}")
_EXPORT_HINT = "`midfill export` needs the export extra: pip install 'midfill[export]'."
_TUNE_HINT = "`midfill tune` needs the tune extra: pip install 'midfill[tune]'."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console that lacks a character shows its escape
        sys.stdout.reconfigure(errors="backslashreplace")
    debug = False
    try:
        args = _parser().parse_args(argv)
        debug = args.debug
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of our output left; there is nobody to tell
        _give_up_output()
        return 1
    except Exception as error:
        if debug:
            raise
        if isinstance(error, MidfillError):
            return _fail(str(error), error.exit_code)
        if isinstance(error, OSError) and error.strerror:  # such as a full disk
            _give_up_output()
            return _fail(f"{error.strerror}: {error.filename}" if error.filename else error.strerror, 1)
        return _fail(f"unexpected {type(error).__name__}; run again with --debug and report what it prints.", 1)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"midfill: {message}\n")
    return code


def _give_up_output() -> None:
    """Forget what cannot be written to standard output, or Python would try again at its end and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all of Midfill's."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="midfill", description="Private, offline code completion.")
    _add_debug(parser, default=False)
    parser.add_argument("--version", action="version", version=f"midfill {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Any, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        _add_debug(sub, default=argparse.SUPPRESS)  # or it would undo a --debug before the command
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "Serve an editor over standard input and output (the default) or TCP.")
    transport = serve.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak over standard input and output")
    transport.add_argument("--tcp", metavar="HOST:PORT", help="listen for one client")
    serve.add_argument("--log-level", default="WARNING", choices=("DEBUG", "INFO", "WARNING", "ERROR"))

    complete = command("complete", _complete, "Complete a file at a place and print the ghost text.")
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

    doctor = command("doctor", _doctor, "Check this installation and time one completion.")
    _add_bundle(doctor)
    _add_json(doctor)

    bench = command("bench", _bench, "Measure the speed of this machine with this bundle.")
    bench.add_argument("--peer", metavar="llama-server=PATH", help="measure llama.cpp's server beside, in turns")
    bench.add_argument("--peer-model", type=Path, metavar="FILE.gguf", help="its model (default: the bundle's source)")
    bench.add_argument("--quick", action="store_true", help="fewer runs and a shorter replay")
    bench.add_argument("--key-ms", type=_positive, metavar="N", help="typing speed: milliseconds a key (default: 200)")
    bench.add_argument("--report", type=Path, metavar="FILE.md", help="write a page with plots too")
    _add_bundle(bench)
    _add_json(bench)

    _add_eval(command)
    return parser


def _add_weights(command: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Add what fetches weights and makes bundles of them."""
    pull = command("pull", _pull, "Download a model, or take in its file brought by hand, and make its bundle.")
    pull.add_argument("what", nargs="?", metavar="MODEL|PATH", help="0.5b (the default), 1.5b, or a file")
    pull.add_argument("--model", default="0.5b", help="the model, when no MODEL or PATH is named")
    pull.add_argument("--weights-only", action="store_true", help="make no bundle; `midfill export` can, by torch")
    _add_acceptance(pull)

    export = command("export", _export, "Convert weights into an INT8 bundle.")
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

    tune = command("tune", _tune, "Fine-tune a model on your own code, on this machine.")
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


def _add_eval(command: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    evaluate = command("eval", _eval, "Measure the quality of suggestions.")
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


def _add_do(command: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Add what asks the model to do something with code."""
    do = command("do", _do, "Explain, fix, document, test or rewrite code, and print a diff or an explanation.")
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


def _add_harness(command: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Add what runs scripts against the real server."""
    harness = command("harness", _harness, "Run scripts of what is typed and what must be suggested, as in a CI.")
    harness.add_argument("scripts", nargs="+", type=Path, metavar="SCRIPT", help="YAML, or JSON with a step a line")
    _add_bundle(harness)


def _add_records(command: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Add what tells of past requests and of what can be set."""
    why = command("why", _why, "Say what became of the last requests of a running or past server, without text.")
    why.add_argument("--last", type=_positive, default=1, metavar="N", help="the last N requests (default: 1)")
    _add_json(why)

    stats = command("stats", _stats, "Show what became of suggestions on this machine.")
    _add_json(stats)

    known = command("settings", _settings_table, "List all settings.")
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


def _settings(args: argparse.Namespace) -> Settings:
    settings = Settings(deadline_ms=0)
    return dataclasses.replace(settings, bundle=args.bundle) if args.bundle else settings


def _serve(args: argparse.Namespace) -> int:
    from midfill import logs, lsp

    logs.setup_logging(args.log_level)
    if args.tcp is None:
        return lsp.serve_stdio()
    host, _, port = args.tcp.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 65_536):
        raise UsageError(f"'{args.tcp}' is no address: write HOST:PORT, such as 127.0.0.1:8700.")
    return lsp.serve_tcp(host.strip("[]"), int(port))


def _complete(args: argparse.Namespace) -> int:
    from midfill import cli_complete

    return cli_complete.run(args)


def _do(args: argparse.Namespace) -> int:
    from midfill import cli_do

    return cli_do.run(args)


def _harness(args: argparse.Namespace) -> int:
    from midfill import cli_harness

    return cli_harness.run(args)


def _why(args: argparse.Namespace) -> int:
    from midfill import explain, journal

    verdicts = journal.read_verdicts(journal.journal_file(), args.last)
    if args.json:
        _print_json([journal.to_json(verdict) for verdict in verdicts])
    elif not verdicts:
        sys.stdout.write("Nothing was asked for yet; servers note here what becomes of each request.\n")
    else:
        sys.stdout.write("\n".join(line for verdict in verdicts for line in explain.to_lines(verdict)) + "\n")
    return 0


def _stats(args: argparse.Namespace) -> int:
    from midfill import statistics

    found = statistics.summary()
    if args.json:
        _print_json(found)
    else:
        sys.stdout.write(f"{statistics.to_text(found)}\n")
    return 0


def _settings_table(args: argparse.Namespace) -> int:
    from midfill import settings

    if args.json:
        _print_json(settings.describe())
    else:
        sys.stdout.write(f"{settings.table()}\n")
    return 0


def _pull(args: argparse.Namespace) -> int:
    return int(importlib.import_module("midfill_export.cli_pull").run(args, bundles_dir(), own_settings().use))


def _export(args: argparse.Namespace) -> int:
    return int(_exporter().run(args, bundles_dir(), own_settings().use))


def _exporter() -> Any:
    return _with_torch("midfill_export.cli_export", _EXPORT_HINT)


def _tune(args: argparse.Namespace) -> int:
    tuner = _with_torch("midfill_export.tuning.cli_tune", _TUNE_HINT)
    return int(tuner.run(args, bundles_dir(), own_settings().use))


def _with_torch(module: str, hint: str) -> Any:
    os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported: the stages are told line by line instead
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"{hint} ({error.name} is missing)") from error


def _doctor(args: argparse.Namespace) -> int:
    from midfill import doctor

    checks = doctor.examine(dataclasses.replace(own_settings(args.bundle), deadline_ms=0))
    if args.json:
        _print_json(doctor.to_json(checks))
    else:
        sys.stdout.write(f"{doctor.to_text(checks)}\n")
    return 0 if all(check.ok for check in checks) else 1


def _bench(args: argparse.Namespace) -> int:
    from midfill import bench

    plan = bench.QUICK if args.quick else bench.Plan()
    if args.key_ms:
        plan = dataclasses.replace(plan, key_seconds=args.key_ms / 1000)
    if args.report and not args.report.parent.is_dir():  # to be told before minutes of work
        raise UsageError(f"there is no folder {args.report.parent} for the report.")
    report = bench.run(_settings(args), lambda stage: sys.stderr.write(f"measuring: {stage}\n"), plan, _peer(args))
    if args.report:
        bench.write_markdown(report, args.report)
    if args.json:
        _print_json(bench.to_json(report))
    else:
        sys.stdout.write(f"{bench.to_text(report)}\n")
    return 0


def _peer(args: argparse.Namespace) -> PeerChoice | None:
    from midfill.bench import PeerChoice

    if args.peer is None:
        if args.peer_model:
            raise UsageError("--peer-model goes with --peer llama-server=PATH.")
        return None
    name, _, path = args.peer.partition("=")
    if name != "llama-server" or not path:
        raise UsageError(f"'{args.peer}' is no peer: write llama-server=PATH.")
    return PeerChoice(Path(path), args.peer_model)


def _eval(args: argparse.Namespace) -> int:
    from midfill.evals import QUANT, cli_eval

    cli_eval.check(args)
    if args.suite == QUANT:
        return int(_exporter().quant(args, bundles_dir()))
    return cli_eval.run(args, _settings(args))


def _print_json(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value, indent=2)}\n")
