"""The built files: complete, the same each time, and with nothing in them that does not belong there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from midfill import __version__

_ROOT = Path(__file__).resolve().parents[2]


def _sums(dist: Path) -> dict[str, str]:
    """Return each file's digest, as SHA256SUMS says."""
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def test_every_file_has_its_digest(dist: Path) -> None:
    """SHA256SUMS lists all files but itself, with the digests they have."""
    files = [path for path in dist.iterdir() if path.name != "SHA256SUMS"]
    assert _sums(dist) == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "pattern",
    [
        "midfill-{version}-py3-none-any.whl",
        "midfill-{version}.tar.gz",
        "midfill-vscode-{version}.vsix",
        "midfill-{version}.cdx.json",
    ],
)
def test_each_kind_of_file_is_there(dist: Path, pattern: str) -> None:
    """A release has the wheel, its source, the VS Code extension and the SBOM, all of one version."""
    assert (dist / pattern.format(version=__version__)).stat().st_size > 10_000


def test_every_plugin_archive_is_there(dist: Path) -> None:
    """Each editor with an archive.py has its archive in the release."""
    makers = list((_ROOT / "editors").glob("*/archive.py"))
    others = [name for name in _sums(dist) if not name.endswith((".whl", ".vsix", ".json"))]
    assert len(others) == 1 + len(makers)  # the source distribution, and the archives


def test_two_builds_are_the_same(dist: Path) -> None:
    """The same commit gives the same bytes."""
    assert _sums(dist) == _sums(Path(os.environ["MIDFILL_DIST_AGAIN"]))


def test_the_wheel_has_the_packages_and_their_data(wheel: Path) -> None:
    """The wheel holds both packages with prompts and the mark of typed packages, and no tests."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"midfill/py.typed", "midfill_export/py.typed", "midfill/actions/prompts/system.md"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"midfill", "midfill_export", f"midfill-{__version__}.dist-info"}


def test_the_source_has_tests_but_no_caches(dist: Path) -> None:
    """The source distribution can be tested, and holds no folder that a tool has left behind."""
    with tarfile.open(dist / f"midfill-{__version__}.tar.gz") as source:
        folders = {name.split("/")[1] for name in source.getnames()}
    assert {"server", "export", "tests", "pyproject.toml", "LICENSE", "README.md"} <= folders
    assert [name for name in folders if re.match(r"\.(?!gitignore)", name)] == []


def test_the_extension_brings_the_same_wheel(dist: Path, wheel: Path) -> None:
    """VS Code's extension installs the wheel of its release, byte for byte."""
    with zipfile.ZipFile(dist / f"midfill-vscode-{__version__}.vsix") as extension:
        assert extension.read(f"extension/server/{wheel.name}") == wheel.read_bytes()


def test_the_sbom_names_every_dependency(dist: Path, wheel: Path) -> None:
    """The SBOM is of this version, lists all that the wheel requires, and shows no path of the machine."""
    text = (dist / f"midfill-{__version__}.cdx.json").read_text(encoding="utf-8")
    document = json.loads(text)
    listed = {component["name"].lower().replace("_", "-") for component in document["components"]}
    metadata = zipfile.ZipFile(wheel).read(f"midfill-{__version__}.dist-info/METADATA").decode()
    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["version"] == __version__
    assert len(required) > 10
    assert set(required) <= listed
    assert "file://" not in text
