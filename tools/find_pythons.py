"""Finds one Python of each version that Midfill supports, and prints its path.

    python tools/find_pythons.py FOLDER

It looks on PATH and among pyenv's versions. A version that is not there is taken from Debian's packages, if Debian has
it, and unpacked into FOLDER; the system stays as it is. Standard output has a line `3.10 /path/to/python` for each
version that was found; standard error names those that were not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from editors.install import Release, unpack_debian

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_DEBIAN_SUITES = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}


def find(version: str, folder: Path) -> Path | None:
    """Return a Python of a version such as "3.10"; None if there is none to be had."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    places = [*sorted(pyenv.glob(f"{version}.*/bin/python")), *([Path(on_path)] if on_path else [])]
    found = next((place for place in places if _is_version(place, version)), None)
    return found or _from_debian(version, folder / version)


def _from_debian(version: str, target: Path) -> Path | None:
    python = target / "usr" / "bin" / f"python{version}"
    if not python.exists() and version in _DEBIAN_SUITES and shutil.which("apt-get"):
        shutil.rmtree(target, ignore_errors=True)  # what an interrupted run has left
        target.mkdir(parents=True)
        release = Release(tuple(map(int, version.split("."))), (python.name, "libstdc++6"), _DEBIAN_SUITES[version])
        try:
            unpack_debian(release, target, target.parent / "patchelf")
            for link in target.rglob("*"):
                if link.is_symlink() and not link.exists():
                    link.unlink()  # it leads to a file that a package would have made when it was configured
        except SystemExit as error:  # no such package, or no network
            sys.stderr.write(f"{error}\n")
    return python if _is_version(python, version) else None


def _is_version(python: Path, version: str) -> bool:
    """Say whether a program is a Python of that version that runs; what pyenv has on PATH may not."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    if not python.exists():
        return False
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout.strip() == version


if __name__ == "__main__":
    for wanted in VERSIONS:
        python = find(wanted, Path(sys.argv[1]).resolve())
        if python is None:
            sys.stderr.write(f"Python {wanted} is not on this machine, nor in Debian's packages: it is left out.\n")
        else:
            sys.stdout.write(f"{wanted} {python}\n")
