"""Fetches the releases that `midfill eval edits` measures on, with the clients of the package registries.

    python tools/fetch_edit_releases.py [FOLDER]

FOLDER is the one in which the evaluation looks, unless another is named. The archives are not unpacked, and nothing of
them is run. Each is compared with the SHA-256 of the recipe, server/midfill/evals/edits/standard_set.json. Those that
are there already are not fetched again. It needs pip, and npm for the packages of JavaScript.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))
from midfill.evals.edits.standard_set import Project, Release, default_folder, projects


def fetch(project: Project, release: Release, folder: Path) -> str:
    """Fetch one release into a folder; return why it is not there, or ""."""
    target = folder / release.file
    if target.exists() and _sha256(target) == release.sha256:
        return ""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        done = subprocess.run(_command(project, release, temporary), cwd=temporary, capture_output=True, check=False)
        file = Path(temporary, release.file)
        if done.returncode or not file.exists():
            return f"{project.registry} has no {release.file}"
        if _sha256(file) != release.sha256:
            return f"{release.file} is not the release of the recipe"
        file.replace(target)
    return ""


def _command(project: Project, release: Release, folder: str) -> list[str]:
    if project.registry == "npm":
        return [shutil.which("npm") or "npm", "pack", "--silent", f"{project.name}@{release.version}"]
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--quiet", "--dest", folder]
    return [sys.executable, "-m", "pip", "download", *options, f"{project.name}=={release.version}"]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> int:
    """Fetch all releases; return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(project, release) for project in projects() for release in project.releases]
    missing = [why for project, release in wanted if (why := fetch(project, release, folder))]
    sys.stdout.write(f"{len(wanted) - len(missing)} of {len(wanted)} releases are in {folder}\n")
    sys.stderr.write("".join(f"{why}\n" for why in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
