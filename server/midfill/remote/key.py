"""The key that a server is shown: from the environment, from a file that only its owner may read, or from the keyring.

A key stays in memory and in the header of requests. No message has it.
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
from dataclasses import dataclass, field

from midfill.common.errors import RemoteUnavailable
from midfill.common.os_errors import explain
from midfill.common.regular_file import open_regular
from midfill.remote.address import Address

KEYRING_SERVICE = "midfill"
_MAX_BYTES = 4096


@dataclass(frozen=True)
class Key:
    """A key, and where it is from, in words."""

    value: str = field(repr=False)
    source: str


def find_key(address: Address, variable: str, file: str) -> Key | None:
    """Return the key for the server at ``address``: from ``file``, the environment's ``variable``, or the keyring.

    Raises:
        RemoteUnavailable: the file cannot be read, or others can read it; or the key is no key.
    """
    if file:
        return Key(_checked(_read(address, file), address, f"the file {file}"), f"the file {file}")
    if value := os.environ.get(variable, "").strip():
        return Key(_checked(value, address, f"the variable {variable}"), f"the variable {variable}")
    if value := _from_keyring(address):
        return Key(_checked(value, address, "the keyring"), "the keyring")
    return None


def _read(address: Address, file: str) -> str:
    try:
        with open_regular(file) as opened:
            if sys.platform != "win32" and os.fstat(opened.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise RemoteUnavailable(str(address), f"others may read its key file {file}: run `chmod 600` on it")
            return opened.read(_MAX_BYTES + 1).decode("ascii", errors="replace").strip()
    except (OSError, ValueError) as error:
        why = explain(error) if isinstance(error, OSError) else "it is no path"
        raise RemoteUnavailable(str(address), f"its key file {file} cannot be read ({why})") from None


def _checked(value: str, address: Address, source: str) -> str:
    """Return a key that a header can have.

    Raises:
        RemoteUnavailable: it is empty or too long, or has other characters.
    """
    if not value or len(value) > _MAX_BYTES or not all("!" <= letter <= "~" for letter in value):
        raise RemoteUnavailable(str(address), f"what {source} has is no key: it must be one word of ASCII")
    return value


def _from_keyring(address: Address) -> str:
    """Return what the system's keyring has for a server; "" for nothing, or without the package ``keyring``."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return ""
    try:
        return str(keyring.get_password(KEYRING_SERVICE, str(address)) or "").strip()
    except Exception:  # each of its many backends raises errors of its own; none of them is a key
        return ""
