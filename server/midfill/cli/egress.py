"""`midfill doctor --egress`: runs a session, and lists each connection that it tries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from midfill.cli.doctor import Check
from midfill.client.server_process import SERVE
from midfill.common.errors import MidfillError
from midfill.egress.permitted import Permitted, permit
from midfill.egress.session import SessionResult, run_session
from midfill.egress.watch import Watch
from midfill.remote.destinations import destinations
from midfill.settings.schema import Settings

_WATCHED = (
    "the system calls of a server, of its index and of all that they start, by the kernel (seccomp); variables that"
    " libraries keep quiet for, such as CI, are not set; each connection is refused, but for those to a server that a"
    " setting names"
)


def examine(settings: Settings, command: Sequence[str] = SERVE) -> list[Check]:
    """Run a session of the server, which ``command`` starts, with the user's bundles."""
    try:
        permitted = permit(destinations(settings))
        watch = Watch(permitted)
    except MidfillError as error:
        return [_unproven(error)]
    try:
        with watch:
            result = run_session(watch, settings, command)
    except MidfillError as error:
        return [_unproven(error), *_tried(watch, permitted)]
    tried = _tried(watch, permitted) or [Check("connections", True, "none")]
    return [Check("watched", True, _WATCHED), *_done(result), *tried]


def _unproven(error: MidfillError) -> Check:
    return Check("egress", False, f"nothing is proven: {error}")


def _tried(watch: Watch, permitted: Permitted) -> list[Check]:
    """Return a line for each attempt, but for the sockets of what is permitted."""
    checks = []
    for attempt, count in watch.attempts.items():
        often = f" ({count} times)" if count > 1 else ""
        if not permitted.allows(attempt):
            checks.append(Check("connection", False, f"{attempt}{often}"))
        elif attempt.target in permitted.targets:
            checks.append(Check("connection", True, f"{attempt}{often}; a setting names this server"))
        elif attempt.call != "socket":
            checks.append(Check("lookup", True, f"{attempt}{often}; for the address of that server"))
    return checks


def _done(result: SessionResult) -> Iterator[Check]:
    """Say what the session has done. What it has not done proves nothing."""
    suggestion, answer = result.suggestion, result.answer
    yield Check(
        "suggestion", bool(suggestion), repr(suggestion) if suggestion else "there was none: run `midfill doctor`"
    )
    index = "a part of another file was in its prompt" if result.used_index else "it had no part in the prompt"
    yield Check("index", result.used_index, index)
    yield Check("action", bool(answer), f"{len(answer)} characters" if answer else "there was no answer")
