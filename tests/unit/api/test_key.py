"""The key, and the place where the server listens."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from midfill.api.key import VARIABLE, key_file, load_key
from midfill.api.listen import address_of, listen
from midfill.common.errors import UsageError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no key yet."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(VARIABLE, raising=False)


def test_key_is_made_once() -> None:
    """In a file, whose place is told."""
    key, place = load_key()
    assert len(key) >= 32
    assert place == f"in {key_file()}"
    assert load_key()[0] == key


def test_all_that_start_at_once_have_the_same_key() -> None:
    """One of them makes it."""
    with ThreadPoolExecutor(8) as starters:
        assert len(set(starters.map(lambda _: load_key(), range(8)))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_user_may_read_the_key() -> None:
    """And a key that others may read is refused."""
    load_key()
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600
    key_file().chmod(0o640)
    with pytest.raises(UsageError, match="Other users may read"):
        load_key()


def test_key_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no file."""
    monkeypatch.setenv(VARIABLE, "a-key-of-my-own-choice")
    assert load_key() == ("a-key-of-my-own-choice", f"in {VARIABLE}")
    assert not key_file().exists()


@pytest.mark.parametrize("key", ["short", "with spaces in it, though long", "kéy-kéy-kéy-kéy-kéy", "a" * 15])
def test_key_that_is_no_good(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """It could be guessed, or no header can carry it."""
    monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(UsageError, match=VARIABLE):
        load_key()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe" * 20, b"x" * 5000])
def test_damaged_key_file(content: bytes) -> None:
    """It is named."""
    load_key()
    key_file().write_bytes(content)
    with pytest.raises(UsageError, match="api-key"):
        load_key()


@pytest.mark.parametrize("host", ["192.168.1.1", "::", "example.com", "", "*", "127.0.0.1.example.com"])
def test_only_loopback_is_listened_at(host: str) -> None:
    """Whatever the user asks for."""
    with pytest.raises(UsageError, match="--host must be"):
        listen(host, 0)


def test_port_in_use_is_one_line() -> None:
    """And a free one is taken for 0."""
    with listen("localhost", 0) as first:
        port = first.getsockname()[1]
        assert address_of(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 cannot be used"):
            listen("127.0.0.1", port)
