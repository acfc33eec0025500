"""The command ``midfill pull [MODEL|PATH]``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from midfill.common.errors import UsageError
from midfill.common.paths import weights_dir
from midfill.inference.licences import Permit
from midfill_export.weights.known_models import WEIGHTS, Weights, bundle_name, megabytes
from midfill_export.weights.pull import adopt, cached_path, pull


def run(args: argparse.Namespace, bundles: Path, use: str, known: Mapping[str, Weights] = WEIGHTS) -> int:
    """Put a model's bundle into the cache and write its path to standard output; all else goes to standard error.

    Args:
        args: ``what`` names a model or a file brought by hand, or is None; ``model`` is the model when it is None;
            ``weights_only`` is whether the weights are all that is wanted, and their path is written.
        bundles: The folder of bundles.
        use: What the model is wanted for, as the setting of that name says.
        known: The models there are.
    """
    what = args.what if args.what is not None else args.model
    if what not in known and not Path(what).exists():
        raise UsageError(f"'{what}' is neither a model nor a file; the models are {', '.join(known)}.")
    with _Display() as display:
        if what in known:
            sys.stderr.write(f"{known[what]}\n")
            Permit(use, args.accept_license).check(known[what].licence, known[what].title)
            path = pull(known[what], cached_path(known[what]), display)
        else:
            path = adopt(Path(what), weights_dir(), display, known)
    if not args.weights_only:
        weights = next(weights for weights in known.values() if weights.file == path.name)
        path = _bundle(weights, path, bundles / bundle_name(weights.file))
    sys.stdout.write(f"{path}\n")
    return 0


def _bundle(weights: Weights, path: Path, out: Path) -> Path:
    """Make the bundle of pulled weights, unless it is there."""
    # Imported late: whoever wants the weights alone need not wait for it.
    from midfill_export.build.prepare import is_prepared, prepare  # noqa: PLC0415
    from midfill_export.build.stages import stage_lines  # noqa: PLC0415

    if is_prepared(weights, out):
        sys.stderr.write("its bundle is there already\n")
        return out
    previous = signal.signal(signal.SIGTERM, end)
    try:
        prepare(weights, path, out, stage_lines())
    finally:
        signal.signal(signal.SIGTERM, previous)
    return out


def end(*_: object) -> None:
    """End as by an error, so that nothing half made is left behind."""
    raise SystemExit(143)


class _Display:
    """Progress on standard error: a bar on a terminal, else a line whenever something new is being done."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._said = ""

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, what: str) -> None:
        if not sys.stderr.isatty():
            if what != self._said:
                sys.stderr.write(f"{what}: {megabytes(done)} of {megabytes(total)}\n")
                self._said = what
            return
        if self._bar is None:
            self._bar = tqdm(total=total, initial=done, unit="B", unit_scale=True, file=sys.stderr)
        self._bar.set_description(what, refresh=False)
        self._bar.update(done - self._bar.n)
