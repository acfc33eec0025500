"""The program inside the sandbox: it gives up its rights, runs one candidate, and reports how that ended.

``sandbox.run_python`` starts it with ``-I -S -B`` and the limits as arguments. The first line of standard input is a
secret token, the rest is the candidate's source. If the candidate reaches its end, standard output gets the token;
nothing else counts as a pass. Otherwise standard output gets the exception.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

REFUSED = (
    # the network
    "socket.",
    # other processes
    "os.exec",
    "os.fork",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "signal.pthread_kill",
    "subprocess.",
    # changes of the file system other than writing to an open file
    "os.chflags",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.setxattr",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "shutil.",
    # ways around this list
    "ctypes.",
    "gc.get_",
)
"""Prefixes of the audit events that a candidate must not cause."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def main() -> None:
    """Run the candidate; this function does not return."""
    seconds, megabytes = (int(argument) for argument in sys.argv[1:])
    token, _, source = sys.stdin.buffer.read().decode().partition("\n")
    output = _take_standard_streams()
    _leave_the_network()
    _limit_resources(seconds, megabytes)
    _install_audit_hook(os.path.realpath(os.getcwd()))
    try:
        exec(compile(source, "candidate.py", "exec"), {"__name__": "candidate"})  # noqa: S102 (this is its purpose)
    except BaseException as error:  # SystemExit is not a pass either
        result = f"{type(error).__name__}: {error}"
    else:
        result = token
    os.write(output, result.encode(errors="replace"))
    os._exit(0)  # do not run the candidate's exit handlers, and do not wait for its threads


def _take_standard_streams() -> int:
    """Redirect the standard streams to the null device; return a descriptor of the former standard output."""
    output = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    return output


def _leave_the_network() -> None:
    """Move into an empty network namespace, if Linux allows it. Elsewhere only the audit hook refuses the network."""
    if sys.platform == "linux":
        # The result is ignored: if this fails, there is nothing else to try.
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _limit_resources(seconds: int, megabytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (Windows does not have it)

    limits = {
        resource.RLIMIT_AS: megabytes << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_FSIZE: 1 << 20,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_NPROC: 0,
    }
    for which, limit in limits.items():
        with contextlib.suppress(OSError, ValueError):  # macOS refuses some
            resource.setrlimit(which, (limit, limit))


def _install_audit_hook(folder: str) -> None:
    """Refuse forbidden events from now on; files may be written in ``folder`` only."""
    realpath = os.path.realpath

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(REFUSED):
            raise PermissionError(f"{event} is refused here")
        # _posixsubprocess starts processes without an audit event.
        if event == "import" and arguments[0] == "_posixsubprocess":
            raise PermissionError("starting a process is refused here")
        if event == "open":
            path, _, flags = arguments
            if (
                isinstance(flags, int)
                and flags & WRITING
                and not isinstance(path, int)
                and not realpath(os.fsdecode(path)).startswith(folder + os.sep)  # type: ignore[arg-type]
            ):
                raise PermissionError(f"writing {path!r} is refused here")

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
