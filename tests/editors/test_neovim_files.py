"""The Neovim plug-in's files, without a Neovim: its help file is up to date, and its archive is reproducible."""

from __future__ import annotations

import re
import runpy
import tarfile
from pathlib import Path

import midfill
from editors.neovims import PLUGIN

OPTIONS = (PLUGIN / "lua/midfill/options.lua").read_text("utf-8")
HELP = (PLUGIN / "doc/midfill.txt").read_text("utf-8")
write_help = runpy.run_path(str(PLUGIN / "write_help.py"))
pack = runpy.run_path(str(PLUGIN / "archive.py"))["main"]


def test_help_is_up_to_date() -> None:
    """`write_help.py` would change nothing."""
    assert write_help["updated"](HELP, OPTIONS) == HELP


def test_help_follows_the_options() -> None:
    """The help file has the defaults and the descriptions that `options.lua` has now."""
    changed = OPTIONS.replace("debounce_ms = 50", "debounce_ms = 7").replace("The server's command.", "What to run.")
    told = write_help["updated"](HELP, changed)
    assert "debounce_ms = 7,\n" in told
    assert "cmd            What to run.\n" in told


def test_every_option_is_described() -> None:
    """Each key and option, and no other, has an annotation with a description."""
    names = re.findall(r"^ {2}(\w+) = ", OPTIONS.partition("M.defaults = {")[2].partition("\n}")[0], re.MULTILINE)
    keys = re.findall(r"^ {4}(\w+) = ", OPTIONS, re.MULTILINE)
    assert "debounce_ms" in names
    assert list(write_help["fields"](OPTIONS, "midfill.Options")) == names
    assert "accept" in keys
    assert list(write_help["fields"](OPTIONS, "midfill.Keys")) == keys


def test_archive_is_reproducible(tmp_path: Path) -> None:
    """Two archives of the same files are equal, byte for byte."""
    first, second = pack(tmp_path / "first"), pack(tmp_path / "second")
    assert first.name == second.name == f"midfill.nvim-{midfill.__version__}.tar.gz"
    assert first.read_bytes() == second.read_bytes()


def test_archive_has_all_that_neovim_loads(tmp_path: Path) -> None:
    """The archive has the license, the help file and every Lua file, in one folder, and nothing else."""
    archive = pack(tmp_path)
    folder = archive.name.removesuffix(".tar.gz")
    lua = [path.relative_to(PLUGIN).as_posix() for path in PLUGIN.rglob("*.lua")]
    assert "lua/midfill/init.lua" in lua
    with tarfile.open(archive) as packed:
        assert packed.getnames() == sorted(f"{folder}/{path}" for path in [*lua, "LICENSE", "doc/midfill.txt"])
        member = packed.extractfile(f"{folder}/doc/midfill.txt")
        assert member is not None
        assert member.read().decode() == HELP
