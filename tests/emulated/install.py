"""Gets what runs this project on emulated processors: QEMU, and a Python for arm64 with all that Midfill needs.

    python tests/emulated/install.py FOLDER

QEMU and the Python are Debian's, the packages are PyPI's, in the versions that this environment has. An emulated x86-64
processor runs this environment's own Python.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import debian

PYTHON = "3.11"
SUITE = "bookworm"
"""Its Python is ``PYTHON``."""
_TAGS = ("2_28", "2_27", "2_26", "2_24", "2_17", "2014")
_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
CPUINFO = {
    "arm64": (f"{_FEATURES} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp", "0xd0c"),
    "arm64-plain": (_FEATURES, "0xd08"),
}
"""What /proc/cpuinfo says on each: the features and the part's number. onnxruntime would read this machine's."""


def install(folder: Path) -> None:
    """Install what is missing; what is there stays as it is.

    Raises:
        SystemExit: something cannot be had here.
    """
    done = folder / "installed"
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    qemu, root = folder / "qemu", folder / "root"
    for part in (qemu, root):
        part.mkdir(parents=True)
    sys.stderr.write("installing QEMU, and a Python for arm64\n")
    debian.unpack(("qemu-user",), SUITE, qemu)
    programs = [qemu / "usr/bin" / f"qemu-{name}" for name in ("x86_64", "aarch64")]
    debian.use_own_libraries(programs, qemu, folder / "tools")
    debian.unpack((f"python{PYTHON}", "libstdc++6"), SUITE, root, "arm64")
    _install_packages(folder / "site")
    for name, (features, number) in CPUINFO.items():
        _write_system(folder / name, root, features, number)
    done.touch()


def _install_packages(target: Path) -> None:
    """Install what Midfill needs to serve, as wheels for arm64."""
    wanted = [text for text in importlib.metadata.requires("midfill") or () if "extra ==" not in text]
    pins = target.parent / "versions.txt"
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    pins.write_text("".join(f"{name}=={version}\n" for name, version in installed.items() if name != "midfill"))
    platforms = [f"--platform=manylinux{tag if tag == '2014' else f'_{tag}'}_aarch64" for tag in _TAGS]
    only = ["--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp"]
    debian.pip_install(target, *only, *platforms, f"--constraint={pins}", *wanted)


def _write_system(folder: Path, root: Path, features: str, part: str) -> None:
    """Make a system root that differs from ``root`` in its processor, one of Arm's own."""
    (folder / "proc").mkdir(parents=True)
    for each in root.iterdir():
        (folder / each.name).symlink_to(each)
    lines = {
        "processor": "0",
        "BogoMIPS": "108.00",
        "Features": features,
        "CPU implementer": "0x41",
        "CPU architecture": "8",
        "CPU variant": "0x3",
        "CPU part": part,
        "CPU revision": "1",
    }
    (folder / "proc/cpuinfo").write_text("".join(f"{name}\t: {value}\n" for name, value in lines.items()))


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
