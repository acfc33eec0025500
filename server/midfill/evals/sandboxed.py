"""The program inside the sandbox: it locks itself in, runs one candidate, and says how that ended.

``sandbox.run_python`` starts it with ``-I -S -B`` and the limits as arguments. The first line of standard input is a
secret token, the rest is the candidate's source. Standard output gets the token when the candidate ran to its end,
and nothing else counts as a pass; otherwise it gets the exception.
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
    # changes to the file system that are not made through an open file
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
"""Beginnings of the names of audit events that a candidate may not cause."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def main() -> None:
    """Run the candidate; this function does not return."""
    seconds, megabytes = (int(argument) for argument in sys.argv[1:])
    token, _, source = sys.stdin.buffer.read().decode().partition("\n")
    verdict = _take_standard_streams()
    _leave_the_network()
    _limit_resources(seconds, megabytes)
    _refuse_from_now_on(os.path.realpath(os.getcwd()))
    try:
        exec(compile(source, "candidate.py", "exec"), {"__name__": "candidate"})  # noqa: S102 (what it is for)
    except BaseException as error:  # SystemExit is no pass either
        said = f"{type(error).__name__}: {error}"
    else:
        said = token
    os.write(verdict, said.encode(errors="replace"))
    os._exit(0)  # a candidate's exit handlers and threads have had their time


def _take_standard_streams() -> int:
    """Point the standard streams at nothing, and return a descriptor of what standard output was."""
    output = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    return output


def _leave_the_network() -> None:
    """Move into an empty network namespace where Linux allows it; elsewhere the audit hook stands alone."""
    if sys.platform == "linux":
        # The result is not looked at: there is nothing else to try.
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _limit_resources(seconds: int, megabytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (there is none on Windows)

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


def _refuse_from_now_on(folder: str) -> None:
    """Install the audit hook; files may be written inside the folder only."""
    realpath = os.path.realpath

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(REFUSED):
            raise PermissionError(f"{event} is refused here")
        # _posixsubprocess starts processes without causing an event.
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
