"""Where a shared process listens: one name for all that must be the same in servers that share it.

The socket, the key and the lock are in a folder that only this user can open::

    $XDG_RUNTIME_DIR/midfill/   or   /tmp/midfill-1000/
        0f3a….sock              the process listens here
        0f3a….key               what both sides must know
        0f3a….lock              held by who starts or ends it
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import midfill
from midfill.sharing import CannotShare

_MAX_ADDRESS_BYTES = 100
"""The longest path that a Unix socket may have on every system is a little longer."""
_KEY_BYTES = 32
_NAME_LENGTH = 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Address:
    """The files of one shared process."""

    folder: Path
    name: str

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return str(self.folder / f"{self.name}.sock")

    @property
    def lock(self) -> Path:
        """The file to lock while the process is started or ends."""
        return self.folder / f"{self.name}.lock"

    @property
    def _key(self) -> Path:
        return self.folder / f"{self.name}.key"

    def key(self) -> bytes | None:
        """Return the key; None if there is none that only this user can read."""
        try:
            file = os.open(self._key, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(file, "rb") as opened:
            private = _is_private(os.fstat(opened.fileno()))
            key = opened.read(_KEY_BYTES)
        return key if private and len(key) == _KEY_BYTES else None

    def renew(self) -> bytes:
        """Make a new key, and remove the socket of a process that has ended; return the key.

        Raises:
            CannotShare: the files cannot be written.
        """
        key = secrets.token_bytes(_KEY_BYTES)
        try:
            self.remove()
            with os.fdopen(os.open(self._key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(key)
        except OSError as error:
            raise CannotShare(f"{self.folder} cannot be written ({type(error).__name__})") from error
        return key

    def remove(self) -> None:
        """Remove the socket and the key."""
        Path(self.socket).unlink(missing_ok=True)
        self._key.unlink(missing_ok=True)


def address_of(common: Mapping[str, Any]) -> Address:
    """Return where servers with this installation of Midfill meet if they have all of ``common`` in common.

    Args:
        common: values of JSON by their names.

    Raises:
        CannotShare: there is no folder that is safe for it.
    """
    shared = {"version": midfill.__version__, "python": sys.executable, "package": midfill.__file__, **common}
    return Address(_private_folder(), digest(shared)[:_NAME_LENGTH])


def digest(values: Mapping[str, Any]) -> str:
    """Return a text that differs for other ``values``, which are values of JSON by their names."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _private_folder() -> Path:
    """Return a folder that only this user can open, with a path that is short enough for a socket. Make it if needed.

    Raises:
        CannotShare: there is none.
    """
    why = "there is no folder for temporary files"
    for folder in _folders():
        if len(os.fsencode(folder)) + len(f"/{'0' * _NAME_LENGTH}.sock") > _MAX_ADDRESS_BYTES:
            why = f"{folder} is too long a path for a socket"
            continue
        try:
            _make_private(folder)
        except CannotShare as error:
            why = error.why
            continue
        return folder
    raise CannotShare(why)


def _folders() -> Iterator[Path]:
    """Yield the folders to try. After ``sudo``, the system's folder may be that of the user before."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    try:
        if os.path.isabs(runtime) and os.stat(runtime).st_uid == os.geteuid():
            yield Path(runtime, "midfill")
    except (OSError, ValueError):
        pass  # it does not exist
    try:
        yield Path(tempfile.gettempdir(), f"midfill-{os.geteuid()}")
    except OSError:
        return


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise CannotShare(f"{folder} cannot be made ({type(error).__name__})") from error
    if not stat.S_ISDIR(status.st_mode) or not _is_private(status):
        raise CannotShare(f"{folder} is not a folder that only you can open: remove it, or chmod 700 it")


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS
