"""The key for a server: where it is from, who may read it, and that nothing shows it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from midfill.common.errors import RemoteUnavailable
from midfill.remote.address import parse
from midfill.remote.key import Key, find_key

ADDRESS = parse("https://coder.example.com")
VALUE = "k" * 20


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the keyring of this machine alone."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.delenv("SOME_KEY", raising=False)


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    """Write a file with a key."""
    file = folder / "key"
    file.write_bytes(content)
    file.chmod(mode)
    return str(file)


def test_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that is asked for has it."""
    monkeypatch.setenv("SOME_KEY", f" {VALUE}\n")
    assert find_key(ADDRESS, "SOME_KEY", "") == Key(VALUE, "the variable SOME_KEY")


def test_key_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the settings name is stronger than the environment."""
    monkeypatch.setenv("SOME_KEY", "another")
    file = key_file(tmp_path, f"{VALUE}\n".encode())
    assert find_key(ADDRESS, "SOME_KEY", file) == Key(VALUE, f"the file {file}")


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes there")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The line says what to do."""
    file = key_file(tmp_path, VALUE.encode(), mode)
    with pytest.raises(RemoteUnavailable, match=r"others may read its key file .*: run `chmod 600` on it"):
        find_key(ADDRESS, "SOME_KEY", file)


@pytest.mark.parametrize("content", [b"", b"two words", b"line\nline", b"\xff\xfe", b"k" * 5000, b"a\rb"])
def test_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """It would break the header, or is another file; what it has is not shown."""
    file = key_file(tmp_path, content)
    with pytest.raises(RemoteUnavailable, match="is no key: it must be one word of ASCII") as caught:
        find_key(ADDRESS, "SOME_KEY", file)
    assert "two words" not in str(caught.value)


def test_file_that_is_missing(tmp_path: Path) -> None:
    """The reason is the system's."""
    with pytest.raises(RemoteUnavailable, match=r"its key file .*none cannot be read \("):
        find_key(ADDRESS, "SOME_KEY", str(tmp_path / "none"))


def test_folder_is_no_file(tmp_path: Path) -> None:
    """Nothing is read that is no regular file."""
    with pytest.raises(RemoteUnavailable, match=r"cannot be read"):
        find_key(ADDRESS, "SOME_KEY", str(tmp_path))


class Keyring(ModuleType):
    """A system's keyring."""

    def __init__(self, kept: dict[tuple[str, str], str]) -> None:
        super().__init__("keyring")
        self.kept = kept

    def get_password(self, service: str, name: str) -> str | None:
        if name.startswith("broken"):
            raise RuntimeError
        return self.kept.get((service, name))


@pytest.mark.parametrize(
    ("url", "value"), [("https://coder.example.com", VALUE), ("https://broken.example.com", ""), ("http://other", "")]
)
def test_key_of_the_keyring(url: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept for `midfill` and the server. A keyring that is locked has none."""
    monkeypatch.setitem(sys.modules, "keyring", Keyring({("midfill", "coder.example.com:443"): VALUE}))
    found = find_key(parse(url), "SOME_KEY", "")
    assert found == (Key(VALUE, "the keyring") if value else None)


def test_key_is_not_shown() -> None:
    """Not in a debugger's view or a message either."""
    assert VALUE not in repr(Key(VALUE, "a test"))
