"""`midfill doctor --egress`: runs a session, and lists each connection that it tries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from midfill.cli.doctor import Check
from midfill.client.server_process import SERVE
from midfill.common.errors import MidfillError
from midfill.egress.session import SessionResult, run_session
from midfill.egress.watch import Watch
from midfill.settings.schema import Settings

_WATCHED = (
    "the system calls of a server, of its index and of all that they start, by the kernel (seccomp); variables that"
    " libraries keep quiet for, such as CI, are not set; each connection is refused"
)


def examine(settings: Settings, command: Sequence[str] = SERVE) -> list[Check]:
    """Run a session of the server, which ``command`` starts, with the user's bundles."""
    try:
        watch = Watch()
    except MidfillError as error:
        return [_unproven(error)]
    try:
        with watch:
            result = run_session(watch, settings.bundle, settings.actions_bundle, command)
    except MidfillError as error:
        return [_unproven(error), *_tried(watch)]
    tried = _tried(watch) or [Check("connections", True, "none")]
    return [Check("watched", True, _WATCHED), *_done(result), *tried]


def _unproven(error: MidfillError) -> Check:
    return Check("egress", False, f"nothing is proven: {error}")


def _tried(watch: Watch) -> list[Check]:
    """Return a line for each attempt."""
    times = [(attempt, f" ({count} times)" if count > 1 else "") for attempt, count in watch.attempts.items()]
    return [Check("connection", False, f"{attempt}{often}") for attempt, often in times]


def _done(result: SessionResult) -> Iterator[Check]:
    """Say what the session has done. What it has not done proves nothing."""
    suggestion, answer = result.suggestion, result.answer
    yield Check(
        "suggestion", bool(suggestion), repr(suggestion) if suggestion else "there was none: run `midfill doctor`"
    )
    index = "a part of another file was in its prompt" if result.used_index else "it had no part in the prompt"
    yield Check("index", result.used_index, index)
    yield Check("action", bool(answer), f"{len(answer)} characters" if answer else "there was no answer")
