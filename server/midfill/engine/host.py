"""The engine process: it loads one model, and serves all clients that come."""

from __future__ import annotations

import logging
import os
import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from midfill.common import memory
from midfill.common.errors import MidfillError, ModelChanged, ModelError
from midfill.common.logs import describe, setup_logging
from midfill.engine.address import digest_of
from midfill.engine.connection import Connection
from midfill.engine.engine_process import EngineSetup
from midfill.engine.gate import Gate
from midfill.engine.messages import Join, Open, Ready, Refused
from midfill.engine.served_client import ServedClient
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.settings.schema import Settings
from midfill.sharing.reception import Reception, listen

if TYPE_CHECKING:
    from midfill.sharing.connection import RawConnection

_MAX_KEEP_SECONDS = 7 * 24 * 3600.0
"""The largest value of ``unloadMinutes``."""
_JOIN_SECONDS = 60.0
"""Seconds that a client has to say that it joins."""
_SWITCH_SECONDS = 0.0005
"""Seconds after which a thread lets another one run Python code. A client must not delay others."""


class Host:
    """Serves one model."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._model: Future[LoadedModel] = Future()
        self._gate = Gate()

    def run(self, setup: EngineSetup) -> None:
        """Load the model, and serve until nobody needs it any more."""
        self._reception.open(self._serve)
        try:
            self._model.set_result(_load(setup))
        except MidfillError as error:
            self._model.set_exception(error)
        except BaseException as error:  # no client may wait for ever
            self._model.set_exception(ModelError(f"The engine process failed: {describe(error)}."))
        self._reception.stay()

    def _serve(self, raw: RawConnection) -> None:
        try:
            self._welcome(Connection(raw))
        finally:
            memory.give_back()  # the KV caches of the client

    def _welcome(self, connection: Connection) -> None:
        """Serve a client until it leaves."""
        joining = connection.receive(_JOIN_SECONDS)
        if not isinstance(joining, Join) or not 0 <= joining.keep_seconds <= _MAX_KEEP_SECONDS:
            return
        attendance = self._reception.attendance
        attendance.joined()
        try:
            model = self._model.result()
            attendance.keep(joining.keep_seconds)
            connection.send(Ready(threads=model.threads, process=os.getpid()))
            opening = connection.receive()
            if isinstance(opening, Open):
                # A client whose engine has ended starts another one, which loads the model anew.
                end = self._reception.end
                ServedClient(connection, model, self._gate, opening, attendance.worked, end).serve()
        except MidfillError as error:
            connection.send(Refused(why=str(error), changed=isinstance(error, ModelChanged)))
        finally:
            attendance.left()


def _load(setup: EngineSetup) -> LoadedModel:
    settings = replace(Settings(), bundle=Path(setup.bundle), threads=setup.threads, use=setup.use)
    model = load_model(settings)
    if digest_of(model.manifest) != setup.digest:
        raise ModelChanged(f"{setup.bundle} was replaced: ask again, and the new bundle is loaded.")
    return model


def main() -> None:
    """Serve as the input says."""
    setup_logging(logging.WARNING)
    sys.setswitchinterval(_SWITCH_SECONDS)
    if (listening := listen()) is not None:
        reception, setup = listening
        Host(reception).run(EngineSetup(**setup))


if __name__ == "__main__":
    main()
