"""The command line: one function a command. An error is one line on standard error.

Exit codes: 0 the command succeeded, 1 it ran and found a fault, 2 the usage was wrong.

This is the only module of ``midfill`` that imports ``midfill_export``, and only for commands that make bundles.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from midfill.cli import streams
from midfill.cli.files import own_settings
from midfill.cli.parser import make_parser
from midfill.common import support
from midfill.common.errors import MidfillError, UsageError
from midfill.common.os_errors import explain
from midfill.common.paths import bundles_dir
from midfill.common.platforms import this_platform
from midfill.common.printable import printable
from midfill.settings.schema import Settings

_EXPORT_HINT = "this command needs the export extra; run: pip install 'midfill[export]'"
_API_HINT = "this command needs the api extra; run: pip install 'midfill[api]'"
_TUNE_HINT = "this command needs the tune extra; run: pip install 'midfill[tune]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    streams.set_up()
    debug = False
    try:
        args = make_parser().parse_args(argv)
        debug = args.debug
        code = _COMMANDS[args.command](args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if streams.has_lost_its_reader(error):  # nobody would see an error line
            _discard_output()
            return 1
        if debug:
            raise
        if isinstance(error, OSError):  # such as a full disk
            _discard_output()
        return _fail(_line_about(error), error.exit_code if isinstance(error, MidfillError) else 1)


def _line_about(error: Exception) -> str:
    if isinstance(error, MidfillError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{explain(error)}: {error.filename}" if error.filename else explain(error)
    if isinstance(error, ImportError) and (line := support.explain_import(error, this_platform())):
        return line
    return f"unexpected {type(error).__name__}; run again with --debug and report the output."


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"midfill: {printable(message)}\n")
    return code


def _discard_output() -> None:
    """Discard buffered output that cannot be written; otherwise Python tries again at exit and prints a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _settings(args: argparse.Namespace) -> Settings:
    """Return the settings for measuring: the defaults, not the user's own, so that results can be compared.

    The model is in the measured process: what others ask a shared one would blur the figures.
    """
    settings = Settings(deadline_ms=0, share_engine=False, engine=getattr(args, "engine", ""), engine_timeout_ms=60_000)
    return dataclasses.replace(settings, bundle=args.bundle) if args.bundle else settings


def _serve(args: argparse.Namespace) -> int:
    from midfill.common import logs
    from midfill.lsp import app

    logs.setup_logging(args.log_level)
    if args.record is None:
        return app.serve_stdio()
    from midfill.cli.record import parts  # it loads onnxruntime, which a server that shares an engine does without

    with parts(args.record) as (make_scheduler, perform):
        return app.serve_stdio(make_scheduler, perform)


def _api(args: argparse.Namespace) -> int:
    return int(_with_extra("midfill.cli.api", _API_HINT).run(args))


def _replay(args: argparse.Namespace) -> int:
    from midfill.cli import replay

    return replay.run(args)


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
        sys.stdout.write("No requests are recorded yet. Complete something in your editor, then run this again.\n")
    else:
        sys.stdout.write("\n".join(line for verdict in verdicts for line in explain.to_lines(verdict)) + "\n")
    return 0


def _stats(args: argparse.Namespace) -> int:
    from midfill.cli import stats

    return stats.run(args)


def _list_settings(args: argparse.Namespace) -> int:
    from midfill.settings import schema

    if args.json:
        _print_json(schema.describe())
    else:
        sys.stdout.write(f"{schema.table()}\n")
    return 0


def _pull(args: argparse.Namespace) -> int:
    return int(importlib.import_module("midfill_export.cli.pull").run(args, bundles_dir(), own_settings().use))


def _models(args: argparse.Namespace) -> int:
    settings = own_settings(args.bundle)
    models = importlib.import_module("midfill_export.cli.models")
    return int(models.run(args, bundles_dir(), settings.bundle, settings.use))


def _export(args: argparse.Namespace) -> int:
    return int(_exporter().run(args, bundles_dir(), own_settings().use))


def _exporter() -> Any:
    return _with_torch("midfill_export.cli.export", _EXPORT_HINT)


def _tune(args: argparse.Namespace) -> int:
    tuner = _with_torch("midfill_export.cli.tune", _TUNE_HINT)
    return int(tuner.run(args, bundles_dir(), own_settings().use))


def _with_torch(module: str, hint: str) -> Any:
    """Import a module that needs an extra with torch."""
    os.environ["TQDM_DISABLE"] = "1"  # tqdm reads this when it is imported; the command prints its stages instead
    return _with_extra(module, hint)


def _with_extra(module: str, hint: str) -> Any:
    """Import a module that needs an extra.

    Raises:
        UsageError: the extra is not installed; ``hint`` says what to do.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("midfill"):  # our own mistake: an extra would not help
            raise
        raise UsageError(f"{hint} ({error.name} is missing)") from error


def _doctor(args: argparse.Namespace) -> int:
    from midfill.cli import doctor, egress

    settings = dataclasses.replace(own_settings(args.bundle), deadline_ms=0)
    checks = egress.examine(settings) if args.egress else doctor.examine(settings)
    if args.json:
        _print_json(doctor.to_json(checks))
    else:
        sys.stdout.write(f"{doctor.to_text(checks)}\n")
    return 0 if all(check.ok for check in checks) else 1


def _bench(args: argparse.Namespace) -> int:
    from midfill.cli import bench

    return bench.run(args, _settings(args))


def _eval(args: argparse.Namespace) -> int:
    from midfill.cli import eval as evaluate
    from midfill.evals.suites import QUANT

    evaluate.check(args)
    if args.suite == QUANT:
        return int(_exporter().quant(args, bundles_dir()))
    return evaluate.run(args, _settings(args))


def _print_json(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value, indent=2)}\n")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "api": _api,
    "complete": _complete,
    "do": _do,
    "why": _why,
    "stats": _stats,
    "settings": _list_settings,
    "replay": _replay,
    "harness": _harness,
    "models": _models,
    "pull": _pull,
    "export": _export,
    "tune": _tune,
    "doctor": _doctor,
    "bench": _bench,
    "eval": _eval,
}
"""The commands by their names in :mod:`midfill.cli.parser`."""
