"""Pack the plug-in into an archive for a release.

The same files, Python and zlib give the same bytes, whoever packs them and when.

    python editors/nvim/archive.py FOLDER
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_CONTENTS = ("doc/*.txt", "lsp/*.lua", "lua/**/*.lua", "plugin/*.lua")


def main(out_folder: Path) -> Path:
    """Write `midfill.nvim-VERSION.tar.gz` into a folder, which is made if need be; return its path."""
    name = f"midfill.nvim-{_version()}"
    files = {path.relative_to(FOLDER): path for pattern in _CONTENTS for path in FOLDER.glob(pattern)}
    files[Path("LICENSE")] = ROOT / "LICENSE"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for inside in sorted(files):
            data = files[inside].read_bytes()
            member = tarfile.TarInfo(f"{name}/{inside.as_posix()}")  # no time, no owner, one mode for all
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    out_folder.mkdir(parents=True, exist_ok=True)
    target = out_folder / f"{name}.tar.gz"
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return target


def _version() -> str:
    source = (ROOT / "server/midfill/__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None:
        raise SystemExit("server/midfill/__init__.py does not say its version.")
    return found[1]


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
