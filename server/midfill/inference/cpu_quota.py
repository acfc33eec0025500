"""How much processor time the control groups of Linux allow this process. Containers and services have such limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_ESCAPED = re.compile(r"\\([0-7]{3})")
"""How ``mountinfo`` writes a blank, a tab, a line feed or a backslash in a path."""


class _Mount(NamedTuple):
    """A hierarchy of control groups that can be seen in the file system."""

    version: int
    """1 or 2; version 1 has a hierarchy of its own for processor time."""
    root: str
    """The group that is mounted. In a container this may be the container's own group."""
    point: str
    """Where it is mounted."""


def quota(root: Path = Path("/")) -> float | None:
    """Return the number of cores whose time this process may use; None without a limit.

    Each group that encloses the process's own group is a limit, too. The lowest one counts. Files are read below
    ``root``. What cannot be read is no limit.
    """
    groups = _groups(_read(root / "proc/self/cgroup"))
    limits = (
        _limit(root / folder.relative_to("/"))
        for mount in _mounts(_read(root / "proc/self/mountinfo"))
        if mount.version in groups
        for folder in _enclosing(mount, groups[mount.version])
    )
    return min((limit for limit in limits if limit is not None), default=None)


def _groups(text: str) -> dict[int, str]:
    """Return the path of the process's group for each version, from the lines of ``/proc/self/cgroup``."""
    found = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            found[2] = path
        elif "cpu" in controllers.split(","):
            found[1] = path
    return found


def _mounts(text: str) -> Iterator[_Mount]:
    """Yield the hierarchies that limit processor time, from the lines of ``/proc/self/mountinfo``."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2" or (kind[0] == "cgroup" and "cpu" in kind[2].split(",")):
            yield _Mount(2 if kind[0] == "cgroup2" else 1, _unescaped(fields[3]), _unescaped(fields[4]))


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), path)


def _enclosing(mount: _Mount, group: str) -> Iterator[PurePosixPath]:
    """Yield the folders of the mounted group, of ``group``, and of those between them."""
    try:
        inside = PurePosixPath(group).relative_to(mount.root).parts
    except ValueError:  # the path is one of the host; what is mounted is the container's own group
        inside = ()
    if ".." in inside:  # the group is outside this namespace
        inside = ()
    for length in range(len(inside) + 1):
        yield PurePosixPath(mount.point).joinpath(*inside[:length])


def _limit(folder: Path) -> float | None:
    """Return the limit of one group, in cores."""
    words = _read(folder / "cpu.max").split()  # version 2
    words = words or [_read(folder / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        microseconds, period = (int(word) for word in words)
    except ValueError:  # "max", or there are no such files
        return None
    return microseconds / period if microseconds > 0 and period > 0 else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
