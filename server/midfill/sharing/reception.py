"""The side of a shared process that lets clients in: it listens, checks their key, and ends the process in time.

The process prints one line when it listens, and nothing else. What goes wrong is told to the clients.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from midfill.common.logs import describe
from midfill.sharing.address import Address
from midfill.sharing.attendance import Attendance
from midfill.sharing.connection import FAMILY, ConnectionLost, welcome
from midfill.sharing.start import READY

if TYPE_CHECKING:
    from midfill.sharing.connection import RawConnection

_MAX_CLIENTS = 256
"""Maximum number of connections. A server has two or three to an engine, and one to an index."""
_LOCK_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_log = logging.getLogger(__name__)


class Reception:
    """Listens at one address. ``attendance`` decides when the process ends."""

    def __init__(self, address: Address, key: bytes) -> None:
        """Listen at ``address``.

        Raises:
            OSError: that is impossible.
        """
        self._address = address
        self._key = key
        self._listener = Listener(address.socket, FAMILY, backlog=64)
        self._socket = os.stat(address.socket)
        self._places = threading.BoundedSemaphore(_MAX_CLIENTS)
        self.attendance = Attendance()

    def open(self, serve: Callable[[RawConnection], None]) -> None:
        """Begin to let clients in. ``serve`` is called for each one in a thread, and returns when it has left.

        ``serve`` may raise ConnectionLost.
        """
        threading.Thread(target=self._accept, args=(serve,), name="midfill-accept", daemon=True).start()

    def stay(self) -> None:
        """End this process when nobody needs it any more; never return."""
        while True:
            self.attendance.wait_until_over()
            try:
                # Who holds the lock may be joining just now.
                with filelock.FileLock(self._address.lock, timeout=_LOCK_SECONDS):
                    if self.attendance.seconds_left == 0.0:
                        self.end()
            except filelock.Timeout:
                continue
            except OSError:  # the folder is gone, so nobody can join
                self.end()

    def end(self) -> None:
        """End this process, and remove its files unless another one has taken its place."""
        try:
            if os.path.samestat(os.stat(self._address.socket), self._socket):
                self._address.remove()
        except OSError:  # somebody else has removed them
            pass
        os._exit(0)  # a normal exit would remove the socket again, which may be another process' by then

    def _accept(self, serve: Callable[[RawConnection], None]) -> None:
        while True:
            self._places.acquire()
            try:
                raw = self._listener.accept()
            except OSError:  # the client has gone already, or there are too many open files
                self._places.release()
                time.sleep(_PAUSE_SECONDS)
                continue
            threading.Thread(target=self._serve, args=(raw, serve), name="midfill-client", daemon=True).start()

    def _serve(self, raw: RawConnection, serve: Callable[[RawConnection], None]) -> None:
        try:
            welcome(raw, self._key)
            serve(raw)
        except ConnectionLost:
            pass
        except Exception as error:  # one client's failure must not concern the others
            _log.error("A client could not be served: %s", describe(error))
        finally:
            raw.close()
            self._places.release()


def listen() -> tuple[Reception, dict[str, Any]] | None:
    """Listen where the first argument says; return also the setup, which the input has. None if there is no key.

    To be called once, by the process that :func:`midfill.sharing.start.join_or_start` starts.

    Raises:
        OSError: this process cannot listen there.
    """
    base = Path(sys.argv[1])
    setup = json.loads(sys.stdin.buffer.read())
    address = Address(base.parent, base.name)
    key = address.key()
    if key is None:
        return None
    reception = Reception(address, key)
    try:
        os.write(sys.stdout.fileno(), READY)
    except OSError:  # the server that started this process has been killed
        reception.end()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return reception, setup
