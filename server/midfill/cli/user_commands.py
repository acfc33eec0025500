"""The arguments of the commands for everyone: an editor's server, and what its user may want to know or to try."""

from __future__ import annotations

from pathlib import Path

from midfill.cli.options import (
    AddCommand,
    add_bundle,
    add_json,
    add_licence_acceptance,
    add_log_level,
    count,
    port,
)


def add(command: AddCommand) -> None:
    """Add the commands."""
    _add_serve(command)
    _add_models(command)
    _add_pull(command)
    _add_doctor(command)
    _add_complete(command)
    _add_do(command)
    _add_records(command)
    _add_replay(command)
    _add_api(command)


def _add_serve(command: AddCommand) -> None:
    serve = command("serve", "Serve completions to an editor, by the language server protocol.", "midfill serve")
    # Many editors add this argument to every server's command line.
    serve.add_argument("--stdio", action="store_true", help="use standard input and output, as is always done")
    serve.add_argument(
        "--record", type=Path, metavar="FILE", help="also write the session into a new file, without secrets"
    )
    add_log_level(serve)


def _add_pull(command: AddCommand) -> None:
    pull = command("pull", "Get a model: download its weights, and make its bundle.", "midfill pull 1.5b")
    pull.add_argument(
        "what",
        nargs="?",
        metavar="MODEL|PATH",
        help="a model that `midfill models` lists (default: 0.5b), auto for the best one that this machine carries, or"
        " the path of a GGUF file",
    )
    pull.add_argument("--model", default="0.5b", help="the model, if neither MODEL nor PATH is given")
    pull.add_argument("--weights-only", action="store_true", help="download the weights, but make no bundle")
    pull.add_argument(
        "--tokenizer-only",
        action="store_true",
        help="make a bundle without weights, for a server's model (setting 'engine'); MODEL may be its name there",
    )
    add_licence_acceptance(pull)


def _add_models(command: AddCommand) -> None:
    models = command(
        "models", "List the models, and what each would take on this machine; the best is marked.", "midfill models"
    )
    add_bundle(models)
    add_json(models)


def _add_doctor(command: AddCommand) -> None:
    doctor = command("doctor", "Check this installation, and time one completion.", "midfill doctor")
    doctor.add_argument(
        "--egress",
        action="store_true",
        help="instead, run a session of the server and list each connection that it tries (Linux)",
    )
    add_bundle(doctor)
    add_json(doctor)


def _add_complete(command: AddCommand) -> None:
    complete = command(
        "complete", "Print the suggestion for one position in a file.", "midfill complete src/app.py:12:5 --explain"
    )
    complete.add_argument("place", metavar="FILE:LINE:COL", help="the position; lines and columns count from 1")
    complete.add_argument("--max-lines", type=count, metavar="N", help="maximum number of lines of the suggestion")
    complete.add_argument(
        "--explain", action="store_true", help="show the exact prompt, and why there is a suggestion or none"
    )
    complete.add_argument(
        "--next-edit",
        type=Path,
        metavar="BEFORE",
        help="predict the next edit instead; BEFORE is the file as it was before your latest changes",
    )
    complete.add_argument("--no-workspace", action="store_true", help="use only this file, not its repository")
    add_bundle(complete)
    add_json(complete)


def _add_do(command: AddCommand) -> None:
    do = command(
        "do",
        "Fix, write, document, test or explain code in a file.",
        "midfill do fix src/app.py:12 --message \"NameError: name 'total' is not defined\"",
    )
    do.add_argument(
        "action",
        metavar="ACTION",
        help="fix, write, document, document-all, types, simplify, faster, extract, tests, explain, review or ask",
    )
    do.add_argument(
        "place",
        metavar="FILE[:LINE[-LINE]]",
        help="the lines, counted from 1; one line means the definition around it, no line the whole file",
    )
    do.add_argument(
        "--message", metavar="TEXT", help="the error to fix, or a traceback; - reads it from standard input"
    )
    do.add_argument("--instruction", metavar="TEXT", help="what to write, or what to ask, in your words")
    do.add_argument("--write", action="store_true", help="change the file; without this, an edit is printed as a diff")
    add_bundle(do)
    add_json(do)


def _add_records(command: AddCommand) -> None:
    why = command("why", "Explain the last requests: what was shown or why not, without code.", "midfill why --last 5")
    why.add_argument("--last", type=count, default=1, metavar="N", help="number of requests (default: 1)")
    add_json(why)
    stats = command("stats", "Count the suggestions shown and accepted on this machine.", "midfill stats")
    stats.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="instead, write a page of plots by week and language; it needs no network",
    )
    add_json(stats)
    settings = command("settings", "List all settings, their possible values and their defaults.", "midfill settings")
    add_json(settings)


def _add_replay(command: AddCommand) -> None:
    replay = command(
        "replay", "Answer a recorded session again, and compare the answers.", "midfill replay session.jsonl"
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="what `midfill serve --record FILE` has written")
    add_bundle(replay)
    add_json(replay)


def _add_api(command: AddCommand) -> None:
    api = command("api", "Serve completions over HTTP to other programs of this machine.", "midfill api --port 8012")
    api.add_argument("--host", default="127.0.0.1", help="address to listen at; only loopback (default: 127.0.0.1)")
    api.add_argument(
        "--port", type=port, default=8012, metavar="N", help="port to listen at; 0 takes a free one (default: 8012)"
    )
    add_log_level(api)
    add_bundle(api)
