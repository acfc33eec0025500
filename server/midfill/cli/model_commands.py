"""The arguments of the commands for making models. They need extras that most users do not install."""

from __future__ import annotations

from pathlib import Path

from midfill.cli.options import AddCommand, add_json, add_licence_acceptance, count
from midfill.inference.manifest_check import EDIT_FORMATS


def add(command: AddCommand) -> None:
    """Add the commands."""
    _add_export(command)
    _add_tune(command)


def _add_export(command: AddCommand) -> None:
    export = command("export", "Convert a model's weights into a bundle.", "midfill export model.gguf -o my-bundle")
    export.add_argument("source", metavar="SOURCE", help="a GGUF file, a checkpoint folder or a Hugging Face id")
    export.add_argument("-o", "--out", metavar="DIR", type=Path, help="the bundle's folder (default: in the cache)")
    export.add_argument(
        "--compare", action="store_true", help="measure every way to quantise the model; write no bundle"
    )
    export.add_argument(
        "--eval-limit", type=count, metavar="N", help="with --compare: number of humaneval-single tasks to run"
    )
    export.add_argument(
        "--context", type=count, metavar="TOKENS", help="maximum context length (default: the model's trained one)"
    )
    export.add_argument(
        "--rope",
        metavar="METHOD",
        help="how to extend the context beyond the trained length: linear, ntk, yarn or base=NUMBER",
    )
    export.add_argument(
        "--edit-format",
        default="plain",
        choices=EDIT_FORMATS,
        help="the prompt format that the model was trained to predict edits in (default: plain, for none)",
    )
    add_licence_acceptance(export)
    add_json(export)


def _add_tune(command: AddCommand) -> None:
    tune = command(
        "tune", "Fine-tune a model on your own code, on this machine.", "midfill tune ~/project --minutes 60"
    )
    tune.add_argument("path", metavar="PATH", type=Path, help="the folder with your code")
    tune.add_argument(
        "--edits",
        action="store_true",
        help="learn next edits: PATH is a git repository, or a folder with releases of projects",
    )
    tune.add_argument("--minutes", type=count, default=20, metavar="N", help="minutes of training (default: 20)")
    tune.add_argument(
        "--base", metavar="SOURCE", help="the model to tune, as for `midfill export` (default: the pulled 0.5b)"
    )
    tune.add_argument("-o", "--out", metavar="DIR", type=Path, help="the bundle's folder (default: in the cache)")
    tune.add_argument("--fresh", action="store_true", help="start again; without this, an interrupted run continues")
    add_licence_acceptance(tune)
    add_json(tune)
