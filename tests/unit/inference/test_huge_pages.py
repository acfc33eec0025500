"""Huge pages are requested where they would be full, and other memory is not changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.inference import huge_pages

MEGABYTE = 1 << 20


def mapping(start: int, size: int, resident: int, rights: str = "rw-p", name: str = "") -> list[str]:
    """Return the lines of smaps for a mapping; sizes are in bytes."""
    return [
        f"{start:x}-{start + size:x} {rights} 00000000 00:00 0 {name}",
        f"Size:           {size // 1024:8} kB",
        f"Rss:            {resident // 1024:8} kB",
        "VmFlags: rd wr mr mw me ac",
    ]


@pytest.mark.parametrize("name", ["", "[heap]"])
def test_full_mapping_is_cut_to_huge_pages(name: str) -> None:
    """The rests at both ends are left out, because they are smaller than a huge page."""
    start, size = 5 * MEGABYTE, 6 * MEGABYTE
    found = list(huge_pages.full_ranges(mapping(start, size, size, name=name)))
    assert found == [(6 * MEGABYTE, 10 * MEGABYTE)]


@pytest.mark.parametrize(
    "lines",
    [
        mapping(0, 8 * MEGABYTE, MEGABYTE),
        mapping(0, 8 * MEGABYTE, 8 * MEGABYTE, rights="r--p"),
        mapping(0, 8 * MEGABYTE, 8 * MEGABYTE, name="/usr/lib/a library.so"),
        mapping(0, 8 * MEGABYTE, 8 * MEGABYTE, name="[stack]"),
        mapping(MEGABYTE, 2 * MEGABYTE, 2 * MEGABYTE),
        ["", "garbage", "Rss: many kB"],
    ],
    ids=["reserved", "constant", "file", "stack", "small", "garbage"],
)
def test_other_mappings_are_left_alone(lines: list[str]) -> None:
    """No huge page is requested where it would waste memory or is impossible."""
    assert list(huge_pages.full_ranges(lines)) == []


def test_each_mapping_is_judged_alone() -> None:
    """A mapping that is left alone does not change the result for the next one."""
    empty, full = mapping(0, 8 * MEGABYTE, 0), mapping(16 * MEGABYTE, 4 * MEGABYTE, 4 * MEGABYTE)
    assert list(huge_pages.full_ranges([*empty, *full])) == [(16 * MEGABYTE, 20 * MEGABYTE)]


PROGRAM = """
import mmap, re
from pathlib import Path
from midfill.inference import huge_pages

memory = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory[:] = bytes(range(256)) * (len(memory) // 256)
thread = huge_pages.arrange()
if thread:
    thread.join()
assert memory[:] == bytes(range(256)) * (len(memory) // 256)
print(sum(" hg" in line for line in Path("/proc/self/smaps").read_text().splitlines() if "VmFlags" in line))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists(),
    reason="this system has no transparent huge pages",
)
def test_memory_in_use_is_marked_and_keeps_its_content() -> None:
    """The kernel marks the memory for huge pages if its policy allows that, and the content does not change."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    policy = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii")
    assert re.fullmatch(r"\d+\n", ran.stdout)
    assert (int(ran.stdout) > 0) == ("[never]" not in policy)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done on other systems than Linux."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert huge_pages.arrange() is None


@pytest.mark.parametrize("file", ["enabled", "nowhere"], ids=["never", "unknown"])
def test_administrator_decides(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No huge page is requested if the administrator has turned them off."""
    (tmp_path / "enabled").write_text("always madvise [never]\n", encoding="ascii")
    monkeypatch.setattr(huge_pages, "_POLICY", tmp_path / file)
    assert huge_pages.arrange() is None
