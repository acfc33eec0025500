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
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midfill.cli.files import own_settings
from midfill.cli.parser import make_parser
from midfill.common.errors import MidfillError, UsageError
from midfill.common.paths import bundles_dir
from midfill.settings.schema import Settings

if TYPE_CHECKING:
    from midfill.bench import PeerChoice

_EXPORT_HINT = "`midfill export` needs the export extra: pip install 'midfill[export]'."
_TUNE_HINT = "`midfill tune` needs the tune extra: pip install 'midfill[tune]'."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console that lacks a character shows its escape
        sys.stdout.reconfigure(errors="backslashreplace")
    debug = False
    try:
        args = make_parser().parse_args(argv)
        debug = args.debug
        code = _COMMANDS[args.command](args)
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


def _settings(args: argparse.Namespace) -> Settings:
    settings = Settings(deadline_ms=0)
    return dataclasses.replace(settings, bundle=args.bundle) if args.bundle else settings


def _serve(args: argparse.Namespace) -> int:
    from midfill.common import logs
    from midfill.lsp import app

    logs.setup_logging(args.log_level)
    if args.tcp is None:
        return app.serve_stdio()
    host, _, port = args.tcp.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 65_536):
        raise UsageError(f"'{args.tcp}' is no address: write HOST:PORT, such as 127.0.0.1:8700.")
    return app.serve_tcp(host.strip("[]"), int(port))


def _complete(args: argparse.Namespace) -> int:
    from midfill.cli import complete

    return complete.run(args)


def _do(args: argparse.Namespace) -> int:
    from midfill.cli import do

    return do.run(args)


def _harness(args: argparse.Namespace) -> int:
    from midfill.cli import harness

    return harness.run(args)


def _why(args: argparse.Namespace) -> int:
    from midfill.outcomes import explain, journal

    verdicts = journal.read_verdicts(journal.journal_file(), args.last)
    if args.json:
        _print_json([journal.to_json(verdict) for verdict in verdicts])
    elif not verdicts:
        sys.stdout.write("Nothing was asked for yet; servers note here what becomes of each request.\n")
    else:
        sys.stdout.write("\n".join(line for verdict in verdicts for line in explain.to_lines(verdict)) + "\n")
    return 0


def _stats(args: argparse.Namespace) -> int:
    from midfill.outcomes import counters

    found = counters.summary()
    if args.json:
        _print_json(found)
    else:
        sys.stdout.write(f"{counters.to_text(found)}\n")
    return 0


def _settings_table(args: argparse.Namespace) -> int:
    from midfill.settings import schema

    if args.json:
        _print_json(schema.describe())
    else:
        sys.stdout.write(f"{schema.table()}\n")
    return 0


def _pull(args: argparse.Namespace) -> int:
    return int(importlib.import_module("midfill_export.cli.pull").run(args, bundles_dir(), own_settings().use))


def _export(args: argparse.Namespace) -> int:
    return int(_exporter().run(args, bundles_dir(), own_settings().use))


def _exporter() -> Any:
    return _with_torch("midfill_export.cli.export", _EXPORT_HINT)


def _tune(args: argparse.Namespace) -> int:
    tuner = _with_torch("midfill_export.cli.tune", _TUNE_HINT)
    return int(tuner.run(args, bundles_dir(), own_settings().use))


def _with_torch(module: str, hint: str) -> Any:
    os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported: the stages are told line by line instead
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"{hint} ({error.name} is missing)") from error


def _doctor(args: argparse.Namespace) -> int:
    from midfill.cli import doctor

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


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "complete": _complete,
    "do": _do,
    "why": _why,
    "stats": _stats,
    "settings": _settings_table,
    "harness": _harness,
    "pull": _pull,
    "export": _export,
    "tune": _tune,
    "doctor": _doctor,
    "bench": _bench,
    "eval": _eval,
}
"""By their names in :mod:`midfill.cli.parser`."""
