"""The program around a project's code: it leaves the network, makes all but the copy unwritable, and runs a command.

``jail.run`` starts it with ``-I -S -B`` and one argument, a JSON object:

- ``work``: a folder of its own. It has ``tree``, the copy of the project, and ``home`` and ``temporary``.
- ``project``: the folder that the copy takes the place of, so that absolute paths lead into the copy.
- ``kept``: folders in the project that are not copied, such as a virtual environment. They can be read.
- ``shown``: other folders that can be read, though they are in one that is emptied.
- ``hidden``: folders that cannot be read.
- ``command``, ``folder``, ``environment``, ``seconds``, ``megabytes``, ``file_megabytes``.

If the sandbox cannot be made, nothing runs, and the exit code is ``NO_SANDBOX``.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

NO_SANDBOX = 97
"""The exit code when the sandbox cannot be made."""
_NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY = 0x1
_DIE_WITH_PARENT, _DROP_BOUND, _NO_NEW_PRIVILEGES, _SECURE_BITS = 1, 24, 38, 28
_NO_ROOT_LOCKED = 0x3
_MAX_CAPABILITY = 63
_EMPTIED = ("/run", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (they are hidden, not used)
"""Folders with the sockets and files of other programs. What is to be seen of them is put back."""
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Make the sandbox and run the command in it; the exit code is the command's."""
    plan = json.loads(sys.argv[1])
    try:
        _enter_namespaces()
        child = os.fork()  # the first process of the new process namespace: all others end with it
        if child == 0:
            _check(_libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0))
            _arrange_files(plan)
            _limit(plan)
            _drop_rights()
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        os._exit(NO_SANDBOX)
    if child == 0:
        _run(plan)
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _enter_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(_NEW_NAMESPACES))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def _arrange_files(plan: dict[str, Any]) -> None:
    """Put the copy in the project's place, hide what is nobody's business, and make the rest unwritable."""
    _mount("none", "/", _RECURSIVE | _PRIVATE)
    work, project, kept = plan["work"], plan["project"], plan["kept"]
    shown = [path for path in [*kept, *plan["shown"]] if os.path.isdir(path)]
    opened = {path: os.open(path, os.O_PATH) for path in (work, f"{work}/tree", *shown)}
    for folder in (*_EMPTIED, *plan["hidden"]):
        if os.path.isdir(folder) and not os.path.islink(folder):
            _mount("tmpfs", folder, 0, "tmpfs")
    os.makedirs(work, exist_ok=True)
    os.makedirs(project, exist_ok=True)
    _bind(opened[work], work)
    _bind(opened[f"{work}/tree"], project)
    for path in shown:
        if not os.path.isdir(path):
            os.makedirs(path)
        _bind(opened[path], path, recursive=True)
    for file in opened.values():
        os.close(file)
    try:
        _mount("proc", "/proc", 0, "proc")
    except OSError:  # some containers forbid it; then there is none, rather than that of all processes
        _mount("tmpfs", "/proc", 0, "tmpfs")
    _set_mount("/", _READ_ONLY, 0, recursive=True)
    for writable in (work, project):
        _set_mount(writable, 0, _READ_ONLY)
    for path in kept:
        if path in shown:
            _set_mount(path, _READ_ONLY, 0, recursive=True)


def _limit(plan: dict[str, Any]) -> None:
    seconds, megabytes = plan["seconds"], plan["megabytes"]
    limits = {
        resource.RLIMIT_AS: megabytes << 20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds + 1,
        resource.RLIMIT_FSIZE: plan["file_megabytes"] << 20,
        resource.RLIMIT_NOFILE: 512,
    }
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (lowest, lowest))


def _drop_rights() -> None:
    """Give up all rights in the namespaces: nothing can be mounted or made writable from now on."""
    for capability in range(_MAX_CAPABILITY + 1):
        if _libc.prctl(_DROP_BOUND, capability, 0, 0, 0) != 0:
            break  # there are no more
    _check(_libc.prctl(_SECURE_BITS, _NO_ROOT_LOCKED, 0, 0, 0))
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))


def _run(plan: dict[str, Any]) -> None:
    try:
        os.chdir(plan["folder"])
        os.execve(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606 (this is its purpose)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    os._exit(127)


def _bind(file: int, target: str, *, recursive: bool = False) -> None:
    _mount(f"/proc/self/fd/{file}", target, _BIND | (_RECURSIVE if recursive else 0))


def _mount(source: str, target: str, flags: int, kind: str | None = None) -> None:
    name = kind.encode() if kind else None
    _check(_libc.mount(source.encode(), os.fsencode(target), name, ctypes.c_ulong(flags), None))


def _set_mount(target: str, on: int, off: int, *, recursive: bool = False) -> None:
    attributes = (ctypes.c_uint64 * 4)(on, off, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    _check(
        _libc.syscall(
            _SYS_MOUNT_SETATTR,
            _AT_FDCWD,
            os.fsencode(target),
            flags,
            ctypes.byref(attributes),
            ctypes.sizeof(attributes),
        )
    )


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
