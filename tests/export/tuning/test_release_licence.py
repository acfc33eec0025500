"""A release's licence, as its own metadata name it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from midfill_export.tuning.release_licence import is_permissive


@pytest.mark.parametrize(
    ("metadata", "permissive"),
    [
        ("License-Expression: MIT OR GPL-3.0-only\nLicense: GPL", True),
        ("License-Expression: Apache-2.0 AND BSD-3-Clause", True),
        ("License-Expression: MIT AND GPL-3.0-only", False),
        ("License: whatever\nClassifier: License :: OSI Approved :: MIT License", True),
        ("Classifier: License :: OSI Approved :: MIT License\n"
         "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False),
        ("License: BSD-3-Clause", True),
        ("Name: some\n\nLicense: MIT", False),
    ],
)  # fmt: skip
def test_wheels(tmp_path: Path, metadata: str, permissive: bool) -> None:
    """An expression counts most, then the classifiers, all of them. A description is no metadata."""
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some/METADATA", "License: MIT")
        archive.writestr("some-1.0.dist-info/METADATA", metadata)
    assert is_permissive(wheel) is permissive


@pytest.mark.parametrize(
    ("name", "text", "permissive"),
    [
        ("package/package.json", '{"license": "(MIT OR Apache-2.0)"}', True),
        ("package/package.json", '{"license": {"type": "MIT"}}', False),
        ("package/package.json", "[", False),
        ("some-1.0/PKG-INFO", "License: ISC", True),
        ("some-1.0/LICENSE", "MIT", False),
    ],
)
def test_tar_archives(tmp_path: Path, name: str, text: str, permissive: bool) -> None:
    """Those of npm and source distributions; what cannot be read is not permitted."""
    file = tmp_path / "some-1.0.tgz"
    with tarfile.open(file, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    assert is_permissive(file) is permissive
    file.write_bytes(b"no archive")
    assert not is_permissive(file)
