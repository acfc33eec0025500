"""The command ``midfill pull [MODEL|PATH]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from midfill.errors import UsageError
from midfill.licences import Permit
from midfill.paths import weights_dir
from midfill_export.pull import adopt, cached_path, pull
from midfill_export.source import WEIGHTS, Weights, megabytes


def run(args: argparse.Namespace, use: str, known: Mapping[str, Weights] = WEIGHTS) -> int:
    """Put weights into the cache and write their path to standard output; all else goes to standard error.

    Args:
        args: ``what`` names a model or a file brought by hand, or is None; ``model`` is the model when it is None.
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
    sys.stdout.write(f"{path}\n")
    return 0


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
