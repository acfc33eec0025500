"""The engine process as a server sees it: something to connect to, which is started again when it has ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from midfill.common.errors import EngineUnavailable, ModelChanged
from midfill.common.paths import cache_dir
from midfill.engine.connection import Connection
from midfill.engine.messages import Join, Ready, Refused
from midfill.sharing import CannotShare
from midfill.sharing.address import Address
from midfill.sharing.connection import ConnectionLost
from midfill.sharing.start import Program, join_or_start

_ATTEMPTS = 3
"""How often a server tries to join. An engine may end just when a server comes."""
_LOAD_SECONDS = 300.0
"""Seconds in which an engine has surely loaded its model."""
_MODULE = "midfill.engine.host"


@dataclass(frozen=True, kw_only=True)
class EngineSetup:
    """What an engine process must know."""

    bundle: str
    """The bundle's folder."""
    digest: str
    """The bundle must still be this one: see :func:`midfill.engine.address.digest_of`."""
    threads: int
    use: str


class EngineProcess:
    """Makes connections to the engine of one bundle."""

    def __init__(self, address: Address, setup: EngineSetup, keep_seconds: float) -> None:
        """Start nothing yet. Without clients, the engine ends ``keep_seconds`` after its last work."""
        self._address = address
        # The process works in another folder, so no path may depend on ours.
        self._program = Program(
            module=_MODULE, setup=vars(setup), environment={"MIDFILL_CACHE": str(cache_dir().absolute())}
        )
        self._keep_seconds = keep_seconds

    def begin(self) -> None:
        """Start the engine if none runs. It loads its model meanwhile.

        Raises:
            EngineUnavailable: it cannot be started.
        """
        self._join_or_start().close()

    def connect(self, lost: Connection | None = None) -> tuple[Connection, Ready]:
        """Return a connection to the engine when it has loaded its model, and what it says of it.

        If the engine of the connection ``lost`` stands still, another one takes its place.

        Raises:
            EngineUnavailable: it cannot be started, or cannot load the model.
            ModelChanged: the bundle is another one by now.
        """
        for _ in range(_ATTEMPTS):
            with suppress(ConnectionLost):
                connection = self._join_or_start(lost)
                connection.send(Join(keep_seconds=self._keep_seconds))
                answer = connection.receive(_LOAD_SECONDS)
                if isinstance(answer, Refused):
                    raise ModelChanged(answer.why) if answer.changed else EngineUnavailable(answer.why.rstrip("."))
                if isinstance(answer, Ready):
                    connection.process = answer.process
                    return connection, answer
        raise EngineUnavailable("its process ends again and again")

    def _join_or_start(self, lost: Connection | None = None) -> Connection:
        try:
            return Connection(*join_or_start(self._address, self._program, lost.key if lost else None))
        except CannotShare as error:
            raise EngineUnavailable(error.why) from error
