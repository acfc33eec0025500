"""The command ``midfill pull [MODEL|PATH]``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from midfill.common.errors import LicenceRefused, UsageError
from midfill.common.paths import weights_dir
from midfill.common.signals import ENDING
from midfill.inference.licences import Permit, licence
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import default_bundle
from midfill_export.weights.known_models import WEIGHTS, served_model
from midfill_export.weights.pull import adopt, cached_path, identify, pull
from midfill_export.weights.stated_hash import note_hash, with_hash
from midfill_export.weights.weights import Weights, bundle_name, megabytes

_AUTO = "auto"
"""Stands for the best model that this machine carries."""


def run(args: argparse.Namespace, bundles: Path, use: str, known: Mapping[str, Weights] = WEIGHTS) -> int:
    """Put a model's bundle into the cache and write its path to standard output; all else goes to standard error.

    Args:
        args: ``what`` names a model or a file, or is "auto", or is None; then ``model`` names the model. With
            ``weights_only`` no bundle is made, and the path of the weights is written. With ``tokenizer_only`` the
            bundle has no weights.
        bundles: The folder of bundles.
        use: The setting ``use``: what the user does with the model.
        known: The models that can be pulled, by name.
    """
    what = args.what if args.what is not None else args.model
    if args.tokenizer_only:
        return _pull_tokenizer(what, args.accept_license, bundles, use, known)
    if what not in (*known, _AUTO) and not Path(what).exists():
        raise UsageError(
            f"'{what}' is neither a model nor a file: `midfill models` lists the models, and `midfill pull auto` takes"
            " the best."
        )
    permit = Permit(use, args.accept_license)
    if what == _AUTO:
        what = _best(known, bundles, permit)
    with _Display() as display:
        if what in known:
            weights = known[what]
            sys.stderr.write(f"{weights}\n")
            permit.check(weights.licence, weights.title)
            weights, path = _from_source(weights, display)
        else:
            weights, path = _from_file(Path(what), permit, known, display)
    if not args.weights_only:
        path = _bundle(weights, path, bundles / weights.bundle_folder)
        if weights.edit_format != "plain":
            sys.stderr.write(f'use it by the settings nextEdit = true and nextEditModel = "{weights.bundle_folder}"\n')
        elif path != default_bundle():
            sys.stderr.write(f'use it for suggestions by the setting bundle = "{path}"\n')
    sys.stdout.write(f"{path}\n")
    return 0


def _best(known: Mapping[str, Weights], bundles: Path, permit: Permit) -> str:
    """Return the name of the best model that this machine carries, and say why.

    Raises:
        UsageError: No model keeps all limits.
    """
    # Imported late because they are slow, and a named model does not need them.
    from midfill_export.choice.choose import best, options, use_rules  # noqa: PLC0415
    from midfill_export.choice.machine import this_machine  # noqa: PLC0415

    rules = use_rules(permit, read_policy().require_model)
    chosen = best(options(known, this_machine(bundles, default_bundle()), rules))
    if chosen is None or chosen.takes is None:
        raise UsageError(
            "No model may be used, or has room, on this machine: `midfill models` says what each of them lacks. Free"
            " some memory or disk, or use a server's model (the setting 'engine')."
        )
    takes = chosen.takes
    kind = "the fastest, for this machine is slow" if chosen.obstacle else "the best that this machine carries"
    sys.stderr.write(
        f"{chosen.weights.name}, {kind}: {megabytes(takes.memory)} of memory, a suggestion in"
        f" {takes.suggestion_ms:,.0f} ms, the first one in a new file in {takes.new_file_ms:,.0f} ms\n"
    )
    return chosen.weights.name


def _from_source(weights: Weights, display: _Display) -> tuple[Weights, Path]:
    """Put a known model's weights into the cache; return them with their hash, and their path."""
    destination = cached_path(weights)
    if weights.sha256:
        return weights, pull(weights, destination, display)
    sys.stderr.write("its SHA-256 is not pinned: the hub's own statement is used\n")
    stated = with_hash(weights, destination)
    path = pull(stated, destination, display)
    note_hash(stated, destination)
    return stated, path


def _from_file(path: Path, permit: Permit, known: Mapping[str, Weights], display: _Display) -> tuple[Weights, Path]:
    """Return what is known of a file, and where it is: known weights are copied into the cache, others stay.

    Raises:
        SourceError: It cannot be read, or is no model.
        LicenceRefused: The user must accept its licence, or it does not allow the use.
    """
    digest, weights = identify(path, known)
    if weights is not None:
        permit.check(weights.licence, weights.title)
        return weights, adopt(path, weights, weights_dir(), display)
    # Imported late because they are slow, and known weights do not need them.
    from midfill_export.loaders.gguf_file import open_gguf  # noqa: PLC0415
    from midfill_export.loaders.gguf_origin import unlisted_weights  # noqa: PLC0415

    weights = unlisted_weights(open_gguf(path), digest)
    sys.stderr.write(f"{weights}\n")
    permit.check(weights.licence, weights.title)
    if licence(weights.licence, weights.title).commercial == "unknown" and not permit.accepted:
        raise LicenceRefused(
            f"The licence of {weights.title} is not known ({weights.licence}): look it up where you got the file, and"
            " add --accept-license if it allows your use."
        )
    return weights, path


def _pull_tokenizer(what: str, accepted: bool, bundles: Path, use: str, known: Mapping[str, Weights]) -> int:
    """Put the bundle for a server's model into the cache, and write its path to standard output."""
    # Imported late because it is slow.
    from midfill_export.build.tokenizer_bundle import is_there, tokenizer_bundle  # noqa: PLC0415

    served = served_model(what)
    if served is None:
        raise UsageError(
            f"The tokenizer of '{what}' is not known: name a model that `midfill models` lists, or a Qwen2.5-Coder as"
            " its server names it."
        )
    out = bundles / bundle_name(served.title)
    if is_there(served, out):
        sys.stderr.write("its bundle exists already\n")
    else:
        Permit(use, accepted).check(served.licence, served.title)
        weights = known[served.weights]
        with _Display() as display:  # the tokenizer is in the file of the weights, whose SHA-256 decides
            weights, path = _from_source(weights, display)
        tokenizer_bundle(served, weights, path, out)
    sys.stdout.write(f"{out}\n")
    return 0


def _bundle(weights: Weights, path: Path, out: Path) -> Path:
    """Build the bundle of pulled weights, unless it exists."""
    # Imported late because it is slow, and --weights-only does not need it.
    from midfill_export.build.from_gguf import bundle_from_gguf, is_built  # noqa: PLC0415
    from midfill_export.build.progress import stage_lines  # noqa: PLC0415

    if is_built(weights, out):
        sys.stderr.write("its bundle exists already\n")
        return out
    previous = {number: signal.signal(number, end) for number in ENDING}
    try:
        bundle_from_gguf(weights, path, out, stage_lines())
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return out


def end(*_: object) -> None:
    """Handle a signal by an exception, so that unfinished files are removed."""
    raise SystemExit(143)


class _Display:
    """Progress on standard error: a bar on a terminal, otherwise a line at the start of each step."""

    def __init__(self) -> None:
        self._bar: tqdm[None] | None = None
        self._written = ""

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, what: str) -> None:
        if not sys.stderr.isatty():
            if what != self._written:
                sys.stderr.write(f"{what}: {megabytes(done)} of {megabytes(total) if total else 'an unknown size'}\n")
                self._written = what
            return
        if self._bar is None:
            self._bar = tqdm(total=total or None, initial=done, unit="B", unit_scale=True, file=sys.stderr)
        self._bar.set_description(what, refresh=False)
        self._bar.update(done - self._bar.n)
