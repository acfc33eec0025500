"""Where an engine process listens: only where nobody else can open a file, and apart from what would differ."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

import midfill
from midfill.common.errors import EngineUnavailable
from midfill.engine.address import Address, address_for
from midfill.inference import cores
from midfill.inference.cores import UsableCores
from unit.helpers import manifest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet")


@pytest.fixture(autouse=True)
def runtime(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the system name a folder for sockets; return it."""
    folder = short_path / "run"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    return folder


def mode_of(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_the_user_can_open_the_folder_and_the_key(runtime: Path) -> None:
    """Also under a umask that lets everybody in."""
    before = os.umask(0)
    try:
        address = address_for(manifest(), 0)
        key = address.renew()
    finally:
        os.umask(before)
    assert address.folder == runtime / "midfill"
    assert mode_of(address.folder) == 0o700
    assert [mode_of(file) for file in address.folder.iterdir()] == [0o600]
    assert address.key() == key


def test_same_setup_has_the_same_address() -> None:
    """Servers with the same bundle and threads meet."""
    assert address_for(manifest(), 2) == address_for(manifest(), 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(midfill, "__version__", "99"),
        lambda patch: patch.setattr(midfill, "__file__", "/elsewhere/midfill/__init__.py"),
        lambda patch: patch.setenv("MIDFILL_CACHE", "/elsewhere"),
        lambda patch: patch.setattr(cores, "usable", lambda: UsableCores(cores=(), quota=0.5)),
    ],
    ids=["version", "installation", "cache", "cores"],
)
def test_other_setups_do_not_meet(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version, another installation, another cache folder or other cores have an engine of their own."""
    before = address_for(manifest(), 0)
    change(monkeypatch)
    assert address_for(manifest(), 0).name != before.name


def test_other_bundles_and_threads_do_not_meet() -> None:
    """Nor do servers with another bundle, or with another number of threads in their settings."""
    names = {address_for(manifest(), 0).name, address_for(manifest(name="b"), 0).name, address_for(manifest(), 1).name}
    assert len(names) == 3


def test_folder_that_others_can_open_is_refused(runtime: Path) -> None:
    """The message says which folder, and what to do."""
    (runtime / "midfill").mkdir(mode=0o755)
    with pytest.raises(EngineUnavailable, match=r"run/midfill is not a folder that only you can open: .*chmod 700"):
        address_for(manifest(), 0)


def test_link_in_place_of_the_folder_is_refused(runtime: Path, short_path: Path) -> None:
    """It could lead into somebody else's folder."""
    (short_path / "private").mkdir(mode=0o700)
    (runtime / "midfill").symlink_to(short_path / "private")
    with pytest.raises(EngineUnavailable):
        address_for(manifest(), 0)


def test_file_in_place_of_the_folder_is_refused(runtime: Path) -> None:
    """As is anything else that is no folder."""
    (runtime / "midfill").write_text("")
    with pytest.raises(EngineUnavailable, match="cannot be made"):
        address_for(manifest(), 0)


def test_folder_with_a_long_path_is_not_used(runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a socket has a limit. The folder for temporary files is used instead."""
    monkeypatch.setattr("midfill.engine.address._MAX_ADDRESS_BYTES", len(f"{short_path}/midfill-{os.geteuid()}/") + 21)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep(runtime)))
    assert address_for(manifest(), 0).folder == short_path / f"midfill-{os.geteuid()}"


def deep(folder: Path) -> Path:
    """Make a folder with a long path."""
    made = folder / ("d" * 60)
    made.mkdir()
    return made


def test_no_folder_is_short_enough(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said, too."""
    monkeypatch.setattr("midfill.engine.address._MAX_ADDRESS_BYTES", 10)
    with pytest.raises(EngineUnavailable, match="too long a path for a socket"):
        address_for(manifest(), 0)


def test_system_without_a_folder_for_sockets(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for temporary files is used."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert address_for(manifest(), 0).folder == short_path / f"midfill-{os.geteuid()}"


def test_system_without_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said, too."""
    monkeypatch.setattr("tempfile.gettempdir", Mock(side_effect=FileNotFoundError))
    with pytest.raises(EngineUnavailable, match="there is no folder for temporary files"):
        address_for(manifest(), 0)


@pytest.mark.parametrize("content", [b"", b"k" * 31])
def test_short_key_is_none(content: bytes) -> None:
    """A file that was cut off has no key."""
    address = address_for(manifest(), 0)
    address.renew()
    key_file(address).write_bytes(content)
    assert address.key() is None


def test_key_that_others_can_read_is_none() -> None:
    """It is not secret."""
    address = address_for(manifest(), 0)
    address.renew()
    key_file(address).chmod(0o644)
    assert address.key() is None


def test_link_to_a_key_is_none(short_path: Path) -> None:
    """Nor is a link followed."""
    address = address_for(manifest(), 0)
    address.renew()
    key_file(address).rename(short_path / "key")
    key_file(address).symlink_to(short_path / "key")
    assert address.key() is None


def test_new_key_replaces_the_old_one_and_the_socket() -> None:
    """What an engine that was killed has left does not matter."""
    address = address_for(manifest(), 0)
    first = address.renew()
    Path(address.socket).write_text("")
    assert address.renew() != first
    assert not Path(address.socket).exists()


def key_file(address: Address) -> Path:
    """Return the file of an address' key."""
    return address.folder / f"{address.name}.key"
