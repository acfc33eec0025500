"""`tools/fetch_edit_releases.py`, with the real pip and a folder instead of a registry."""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from midfill.evals.edits.standard_set import Project, Release
from unit.evals.edits.test_releases import zipped

pytestmark = pytest.mark.skipif(find_spec("pip") is None, reason="the tool needs pip")
METADATA = b"Metadata-Version: 2.1\nName: some\nVersion: 1.0\n"
FILES = {
    "some.py": b"x = 1\n",
    "some-1.0.dist-info/METADATA": METADATA,
    "some-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "some-1.0.dist-info/RECORD": b"",
}
PROJECT = Project("some", "pypi", "MIT", ())


@pytest.fixture
def fetch() -> Callable[[Project, Release, Path], str]:
    """Return the function of the tool."""
    tool = Path(__file__).parents[4] / "tools" / "fetch_edit_releases.py"
    found: Callable[[Project, Release, Path], str] = runpy.run_path(str(tool))["fetch"]
    return found


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """Publish a release in a folder that pip takes it from."""
    (tmp_path / "registry").mkdir()
    file = zipped(tmp_path / "registry" / "some-1.0-py3-none-any.whl", FILES)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(file.parent))
    return Release("1.0", file.name, hashlib.sha256(file.read_bytes()).hexdigest())


def test_release_is_fetched_once(
    fetch: Callable[[Project, Release, Path], str], release: Release, tmp_path: Path
) -> None:
    """What is there already needs no registry."""
    target = tmp_path / "target"
    target.mkdir()
    assert fetch(PROJECT, release, target) == ""
    assert [file.name for file in target.iterdir()] == [release.file]
    (tmp_path / "registry" / release.file).unlink()
    assert fetch(PROJECT, release, target) == ""


def test_another_release_than_the_pinned_one_is_refused(
    fetch: Callable[[Project, Release, Path], str], release: Release, tmp_path: Path
) -> None:
    """Nothing of it is left."""
    target = tmp_path / "target"
    target.mkdir()
    pinned = Release("1.0", release.file, "0" * 64)
    assert fetch(PROJECT, pinned, target) == f"{release.file} is not the release of the recipe"
    assert list(target.iterdir()) == []
