"""The engine process: it loads one model, serves all clients that come, and ends when nobody needs it.

It prints one line when it listens, and nothing else. What goes wrong is told to the clients.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.connection import Listener
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from midfill.common import memory
from midfill.common.errors import BundleDamaged, MidfillError, ModelError
from midfill.common.logs import describe, setup_logging
from midfill.engine.address import Address, digest_of
from midfill.engine.attendance import Attendance
from midfill.engine.connection import FAMILY, Connection, ConnectionLost, welcome
from midfill.engine.gate import Gate
from midfill.engine.messages import Join, Open, Ready, Refused
from midfill.engine.served_client import ServedClient
from midfill.engine.start import READY, EngineSetup
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.settings.schema import Settings

if TYPE_CHECKING:
    from midfill.engine.connection import RawConnection

_MAX_CLIENTS = 256
"""Maximum number of connections. A server has two or three."""
_MAX_KEEP_SECONDS = 7 * 24 * 3600.0
"""The largest value of ``unloadMinutes``."""
_JOIN_SECONDS = 60.0
"""Seconds that a client has to say that it joins."""
_LOCK_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_SWITCH_SECONDS = 0.0005
"""Seconds after which a thread lets another one run Python code. A client must not delay others."""
_log = logging.getLogger(__name__)


class Host:
    """Serves one model at one address."""

    def __init__(self, address: Address, key: bytes) -> None:
        """Listen at ``address``.

        Raises:
            OSError: that is impossible.
        """
        self._address = address
        self._key = key
        self._listener = Listener(address.socket, FAMILY, backlog=64)
        self._socket = os.stat(address.socket)
        self._model: Future[LoadedModel] = Future()
        self._gate = Gate()
        self._attendance = Attendance()
        self._places = threading.BoundedSemaphore(_MAX_CLIENTS)

    def run(self, setup: EngineSetup) -> None:
        """Load the model, and serve until nobody needs it any more."""
        threading.Thread(target=self._accept, name="midfill-accept", daemon=True).start()
        try:
            self._model.set_result(_load(setup))
        except MidfillError as error:
            self._model.set_exception(error)
        except BaseException as error:  # no client may wait for ever
            self._model.set_exception(ModelError(f"The engine process failed: {describe(error)}."))
        while True:
            self._attendance.wait_until_over()
            try:
                # Who holds the lock may be joining just now.
                with filelock.FileLock(self._address.lock, timeout=_LOCK_SECONDS):
                    if self._attendance.seconds_left == 0.0:
                        self._end()
            except filelock.Timeout:
                continue

    def _end(self) -> None:
        """End this process, and remove its files unless another engine has taken its place."""
        try:
            if os.path.samestat(os.stat(self._address.socket), self._socket):
                self._address.remove()
        except OSError:  # somebody else has removed them
            pass
        os._exit(0)  # a normal exit would remove the socket again, which may be another engine's by then

    def _accept(self) -> None:
        while True:
            self._places.acquire()
            try:
                raw = self._listener.accept()
            except OSError:  # the client has gone already, or there are too many open files
                self._places.release()
                time.sleep(_PAUSE_SECONDS)
                continue
            threading.Thread(target=self._serve, args=(raw,), name="midfill-client", daemon=True).start()

    def _serve(self, raw: RawConnection) -> None:
        try:
            self._welcome(welcome(raw, self._key))
        except ConnectionLost:
            pass
        except Exception as error:  # one client's failure must not concern the others
            _log.error("A client could not be served: %s", describe(error))
        finally:
            raw.close()
            self._places.release()
            memory.give_back()  # the KV caches of the client

    def _welcome(self, connection: Connection) -> None:
        """Serve a client that has shown the key until it leaves."""
        joining = connection.receive(_JOIN_SECONDS)
        if not isinstance(joining, Join) or not 0 <= joining.keep_seconds <= _MAX_KEEP_SECONDS:
            return
        self._attendance.joined()
        try:
            model = self._model.result()
            self._attendance.keep(joining.keep_seconds)
            connection.send(Ready(threads=model.threads, process=os.getpid()))
            opening = connection.receive()
            if isinstance(opening, Open):
                # A client whose engine has ended starts another one, which loads the model anew.
                ServedClient(connection, model, self._gate, opening, self._attendance.worked, self._end).serve()
        except MidfillError as error:
            connection.send(Refused(why=str(error)))
        finally:
            self._attendance.left()


def _load(setup: EngineSetup) -> LoadedModel:
    settings = replace(Settings(), bundle=Path(setup.bundle), threads=setup.threads, use=setup.use)
    model = load_model(settings)
    if digest_of(model.manifest) != setup.digest:
        raise BundleDamaged(f"{setup.bundle} was replaced just now: try again.")
    return model


def main() -> None:
    """Serve as the first argument says."""
    setup_logging(logging.WARNING)
    sys.setswitchinterval(_SWITCH_SECONDS)
    setup = EngineSetup(**json.loads(sys.argv[1]))
    address = Address(Path(setup.folder), setup.name)
    key = address.key()
    if key is None:
        return
    host = Host(address, key)
    os.write(sys.stdout.fileno(), READY)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    host.run(setup)


if __name__ == "__main__":
    main()
