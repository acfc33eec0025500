"""Makes the Emacs package's archive, which `M-x package-install-file` installs.

    python editors/emacs/archive.py FOLDER

writes FOLDER/midfill-VERSION.tar. The same source files make the same archive, byte for byte.
"""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LICENCE = _HERE.parents[1] / "LICENSE"


def main(out_folder: Path) -> Path:
    """Write the archive into a folder, which is made if it is missing; return the archive's path."""
    header = (_HERE / "midfill.el").read_text(encoding="utf-8")
    name = f"midfill-{_field(header, 'Version')}"
    files = {path.name: path.read_bytes() for path in [*_HERE.glob("*.el"), _LICENCE]}
    files["midfill-pkg.el"] = _describe(header).encode()
    out_folder.mkdir(parents=True, exist_ok=True)
    archive = out_folder / f"{name}.tar"
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{file}")  # its time, owner and mode are always the same
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive


def _field(header: str, name: str) -> str:
    """Return what a library's header says in the line that begins with a name."""
    found = re.search(rf"^;; {name}: (.+)$", header, re.MULTILINE)
    if not found:
        raise ValueError(f"midfill.el has no line `;; {name}:`")
    return found[1].strip()


def _describe(header: str) -> str:
    """Return midfill-pkg.el: Emacs reads what a package of several files is, and what it needs, from such a file."""
    summary = re.match(r";;; midfill\.el --- (.+?) +-\*-", header)
    if not summary:
        raise ValueError("midfill.el does not begin with its summary")
    keywords = " ".join(f'"{keyword}"' for keyword in _field(header, "Keywords").split(", "))
    return f""";; -*- no-byte-compile: t; lexical-binding: nil -*-
(define-package "midfill" "{_field(header, "Version")}"
  "{summary[1]}"
  '{_field(header, "Package-Requires")}
  :keywords '({keywords})
  :url "{_field(header, "URL")}")
"""


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
