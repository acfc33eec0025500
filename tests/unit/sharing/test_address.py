"""Where a shared process listens: only where nobody else can open a file, and apart from what would differ."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest

import midfill
from midfill.sharing import CannotShare
from midfill.sharing.address import Address, address_of

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet"),
    pytest.mark.usefixtures("runtime"),
]


def mode_of(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_the_user_can_open_the_folder_and_the_key(runtime: Path) -> None:
    """Also under a umask that lets everybody in."""
    before = os.umask(0)
    try:
        address = address_of({})
        key = address.renew()
    finally:
        os.umask(before)
    assert address.folder == runtime / "midfill"
    assert mode_of(address.folder) == 0o700
    assert [mode_of(file) for file in address.folder.iterdir()] == [0o600]
    assert address.key() == key


@pytest.mark.parametrize(
    ("attribute", "value"), [("__version__", "99"), ("__file__", "/elsewhere/midfill/__init__.py")]
)
def test_other_installations_do_not_meet(monkeypatch: pytest.MonkeyPatch, attribute: str, value: str) -> None:
    """Another version, or one at another place, might say something else."""
    before = address_of({})
    monkeypatch.setattr(midfill, attribute, value)
    assert address_of({}).name != before.name


def test_who_has_all_in_common_meets() -> None:
    """And nobody else."""
    assert address_of({"folder": "/a"}) == address_of({"folder": "/a"})
    assert address_of({"folder": "/a"}).name != address_of({"folder": "/b"}).name


@pytest.fixture
def temporary(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the system name no folder for sockets; return the one that is used then, which does not exist yet."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    return short_path / f"midfill-{os.geteuid()}"


def test_folder_that_others_can_open_is_refused(temporary: Path) -> None:
    """The message says which folder, and what to do."""
    temporary.mkdir(mode=0o755)
    with pytest.raises(CannotShare, match=r"/midfill-\d+ is not a folder that only you can open: .*chmod 700"):
        address_of({})


def test_link_in_place_of_the_folder_is_refused(temporary: Path, short_path: Path) -> None:
    """It could lead into somebody else's folder."""
    (short_path / "private").mkdir(mode=0o700)
    temporary.symlink_to(short_path / "private")
    with pytest.raises(CannotShare):
        address_of({})


def test_file_in_place_of_the_folder_is_refused(temporary: Path) -> None:
    """As is anything else that is no folder."""
    temporary.write_text("")
    with pytest.raises(CannotShare, match="cannot be made"):
        address_of({})


def test_folder_for_temporary_files_is_used_where_the_first_one_is_not_safe(runtime: Path, short_path: Path) -> None:
    """As on a system that names none."""
    (runtime / "midfill").mkdir(mode=0o755)
    assert address_of({}).folder == short_path / f"midfill-{os.geteuid()}"


def test_folder_of_another_user_is_not_touched(
    runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sudo may leave the variable as it was. A folder of root's would keep its owner out."""
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(CannotShare, match=f"midfill-{me + 1} is not a folder"):
        address_of({})
    assert list(runtime.iterdir()) == []


def test_folder_with_a_long_path_is_not_used(runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a socket has a limit. The folder for temporary files is used instead."""
    monkeypatch.setattr("midfill.sharing.address._MAX_ADDRESS_BYTES", len(f"{short_path}/midfill-{os.geteuid()}/") + 21)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep(runtime)))
    assert address_of({}).folder == short_path / f"midfill-{os.geteuid()}"


def deep(folder: Path) -> Path:
    """Make a folder with a long path."""
    made = folder / ("d" * 60)
    made.mkdir()
    return made


def test_no_folder_is_short_enough(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said, too."""
    monkeypatch.setattr("midfill.sharing.address._MAX_ADDRESS_BYTES", 10)
    with pytest.raises(CannotShare, match="too long a path for a socket"):
        address_of({})


def test_system_without_a_folder_for_sockets(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for temporary files is used."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert address_of({}).folder == short_path / f"midfill-{os.geteuid()}"


def test_system_without_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said, too."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.gettempdir", Mock(side_effect=FileNotFoundError))
    with pytest.raises(CannotShare, match="there is no folder for temporary files"):
        address_of({})


@pytest.mark.parametrize("content", [b"", b"k" * 31])
def test_short_key_is_none(content: bytes) -> None:
    """A file that was cut off has no key."""
    address = address_of({})
    address.renew()
    key_file(address).write_bytes(content)
    assert address.key() is None


def test_key_that_others_can_read_is_none() -> None:
    """It is not secret."""
    address = address_of({})
    address.renew()
    key_file(address).chmod(0o644)
    assert address.key() is None


def test_link_to_a_key_is_none(short_path: Path) -> None:
    """Nor is a link followed."""
    address = address_of({})
    address.renew()
    key_file(address).rename(short_path / "key")
    key_file(address).symlink_to(short_path / "key")
    assert address.key() is None


def test_new_key_replaces_the_old_one_and_the_socket() -> None:
    """What an engine that was killed has left does not matter."""
    address = address_of({})
    first = address.renew()
    Path(address.socket).write_text("")
    assert address.renew() != first
    assert not Path(address.socket).exists()


def key_file(address: Address) -> Path:
    """Return the file of an address' key."""
    return address.folder / f"{address.name}.key"
