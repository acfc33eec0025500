"""The engine process as a server sees it: something to connect to, which is started again when it has ended."""

from __future__ import annotations

from contextlib import suppress

from midfill.common.errors import EngineUnavailable
from midfill.engine.address import Address
from midfill.engine.connection import Connection, ConnectionLost
from midfill.engine.messages import Join, Ready, Refused
from midfill.engine.start import EngineSetup, join_or_start

_ATTEMPTS = 3
"""How often a server tries to join. An engine may end just when a server comes."""
_LOAD_SECONDS = 300.0
"""Seconds in which an engine has surely loaded its model."""


class EngineProcess:
    """Makes connections to the engine of one bundle."""

    def __init__(self, address: Address, setup: EngineSetup, keep_seconds: float) -> None:
        """Start nothing yet. Without clients, the engine ends ``keep_seconds`` after its last work."""
        self._address = address
        self._setup = setup
        self._keep_seconds = keep_seconds

    def begin(self) -> None:
        """Start the engine if none runs. It loads its model meanwhile.

        Raises:
            EngineUnavailable: it cannot be started.
        """
        join_or_start(self._address, self._setup).close()

    def connect(self) -> tuple[Connection, Ready]:
        """Return a connection to the engine when it has loaded its model, and what it says of it.

        Raises:
            EngineUnavailable: it cannot be started, or cannot load the model.
        """
        for _ in range(_ATTEMPTS):
            with suppress(ConnectionLost):
                connection = join_or_start(self._address, self._setup)
                connection.send(Join(keep_seconds=self._keep_seconds))
                answer = connection.receive(_LOAD_SECONDS)
                if isinstance(answer, Refused):
                    raise EngineUnavailable(answer.why.rstrip("."))
                if isinstance(answer, Ready):
                    return connection, answer
        raise EngineUnavailable("its process ends again and again")
