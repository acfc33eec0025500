"""The limit of processor time, from files as Linux has them on hosts and in containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.inference.cpu_quota import quota

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
MEMORY = "32 24 0:28 / /sys/fs/cgroup/memory rw,nosuid shared:11 - cgroup cgroup rw,memory\n"


def write(root: Path, **files: str) -> Path:
    """Write files below ``root``; the keys are paths."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_container_of_version_2(tmp_path: Path) -> None:
    """In a container with a namespace of its own, its group is the root."""
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2, "sys/fs/cgroup/cpu.max": "150000 100000\n"}
    assert quota(write(tmp_path, **files)) == 1.5


def test_lowest_limit_of_nested_groups(tmp_path: Path) -> None:
    """A service within a slice has the lower limit of both."""
    files = {
        "proc/self/cgroup": "0::/user.slice/work.slice/editor.scope\n", "proc/self/mountinfo": V2,
        "sys/fs/cgroup/user.slice/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/user.slice/work.slice/cpu.max": "max 100000\n",
        "sys/fs/cgroup/user.slice/work.slice/editor.scope/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/other.slice/cpu.max": "1000 100000\n",
    }  # fmt: skip
    assert quota(write(tmp_path, **files)) == 2.0


def test_host_of_version_1(tmp_path: Path) -> None:
    """The hierarchy with the processor time counts."""
    files = {
        "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/jobs/7\n0::/\n", "proc/self/mountinfo": MEMORY + V1,
        "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_period_us": "100000\n",
    }  # fmt: skip
    assert quota(write(tmp_path, **files)) == 0.5


@pytest.mark.parametrize("group", ["/docker/abc", "/docker/abc/inner", "/somewhere/else", "/../outside"])
def test_container_of_version_1_sees_the_path_on_the_host(tmp_path: Path, group: str) -> None:
    """What is mounted is the container's own group, whatever path the host has for it."""
    mount = "31 24 0:27 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
    files = {
        "proc/self/cgroup": f"4:cpu:{group}\n", "proc/self/mountinfo": mount,
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }  # fmt: skip
    assert quota(write(tmp_path, **files)) == 4.0


def test_mount_point_with_a_blank(tmp_path: Path) -> None:
    """Linux writes a blank in a path as a number."""
    mount = "30 24 0:26 / /my\\040groups rw - cgroup2 none rw\n"
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mount, "my groups/cpu.max": "100000 50000\n"}
    assert quota(write(tmp_path, **files)) == 2.0


@pytest.mark.parametrize("limit", ["max 100000", "", "max", "0 100000", "100000 0", "-1 5", "1 2 3", "x y", "9" * 5000])
def test_no_limit(tmp_path: Path, limit: str) -> None:
    """What is no number of microseconds in a period is no limit."""
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2, "sys/fs/cgroup/cpu.max": limit}
    assert quota(write(tmp_path, **files)) is None


@pytest.mark.parametrize("text", ["", "nonsense\n", "a b c - d\n", "::\n"])
def test_system_without_control_groups(tmp_path: Path, text: str) -> None:
    """Files that are missing or of another kind are no limit."""
    assert quota(tmp_path) is None
    assert quota(write(tmp_path, **{"proc/self/cgroup": text, "proc/self/mountinfo": text})) is None
