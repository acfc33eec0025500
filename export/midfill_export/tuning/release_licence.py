"""Whether a release's own metadata names a permissive licence. Other releases are not trained on."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

_PERMISSIVE = frozenset(
    ("0bsd", "apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "mit", "mit-0", "psf-2.0", "unlicense", "zlib")
)
"""SPDX identifiers in small letters, and "bsd", which many releases say."""
_CLASSIFIERS = {
    "MIT License": "mit",
    "BSD License": "bsd",
    "Apache Software License": "apache-2.0",
    "ISC License (ISCL)": "isc",
    "Python Software Foundation License": "psf-2.0",
    "The Unlicense (Unlicense)": "unlicense",
}
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA|[^/]+/PKG-INFO|package/package\.json")
_MAX_BYTES = 1_000_000
"""Maximum size of metadata that are read."""
_MAX_MEMBERS = 50_000


def is_permissive(release: Path) -> bool:
    """Return whether an archive of PyPI or npm names only permissive licences, or a choice that has one."""
    try:
        return any(_allows(licence) for licence in _named(release))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, tarfile.TarError):
        return False


def _allows(licence: str) -> bool:
    """Return whether an SPDX expression, or a name like one, lets the code be used freely."""
    choices = re.split(r"\s+or\s+", licence.lower().strip(" ()"))
    return any(all(part.strip(" ()") in _PERMISSIVE for part in re.split(r"\s+and\s+", choice)) for choice in choices)


def _named(release: Path) -> Iterator[str]:
    """Yield the licences that the metadata name: an expression, or all classifiers as one, or the free text."""
    name, data = _metadata(release)
    if name.endswith(".json"):
        found = json.loads(data).get("license")
        yield found if isinstance(found, str) else ""
        return
    fields = HeaderParser().parsestr(data.decode("utf-8", "replace"))
    classified = [
        _CLASSIFIERS.get(classifier.rpartition(" :: ")[2], classifier)
        for classifier in fields.get_all("Classifier", [])
        if classifier.startswith("License ::") and classifier != "License :: OSI Approved"
    ]
    yield fields.get("License-Expression") or " and ".join(classified) or fields.get("License") or ""


def _metadata(release: Path) -> tuple[str, bytes]:
    """Return the name and the content of an archive's metadata.

    Raises:
        ValueError: it has none.
    """
    if release.name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(release) as archive:
            for entry in archive.infolist()[:_MAX_MEMBERS]:
                if _METADATA.fullmatch(entry.filename) and entry.file_size <= _MAX_BYTES:
                    return entry.filename, archive.read(entry)
    else:
        with tarfile.open(release, "r:gz") as tar:
            for number, member in enumerate(tar):
                if number >= _MAX_MEMBERS:
                    break
                if _METADATA.fullmatch(member.name) and member.isfile() and member.size <= _MAX_BYTES:
                    file = tar.extractfile(member)
                    return member.name, file.read() if file else b""
    raise ValueError("the release has no metadata")
