"""Engines within the test's process: real connections, and a model of the tests at their other end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe

import numpy as np

from midfill.engine.connection import Connection
from midfill.engine.gate import Gate
from midfill.engine.messages import Message, Open, Pong
from midfill.engine.served_client import ServedClient
from midfill.engine.shared_model import SharedGenerator
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.onnx_model import Model
from midfill.inference.token_generator import NO_METER, PrefillMeter
from midfill.sharing.connection import ConnectionLost
from unit.helpers import MarkovModel, loaded_model, manifest

OPENING = Open(context=1024, cache_bytes=0, max_draft_tokens=8, long_work=False)


class CutConnection(Connection):
    """The engine's end of a connection, which breaks after some messages."""

    def __init__(self, raw: object, messages: int) -> None:
        super().__init__(raw)  # type: ignore[arg-type]
        self._descriptor = raw.fileno()  # type: ignore[attr-defined]
        self._left = messages

        self.pings = 0

    def send(self, message: Message) -> None:
        self.pings += isinstance(message, Pong)
        if self._left == 0:
            with socket.socket(fileno=os.dup(self._descriptor)) as shared:
                shared.shutdown(socket.SHUT_RDWR)  # closing alone would wait for the thread that receives
            raise ConnectionLost
        self._left -= 1
        super().send(message)


class Served:
    """One engine. ``cuts`` says after how many messages its first connections break; the later ones do not."""

    def __init__(self, model: LoadedModel, *cuts: int) -> None:
        self.model = model
        self.gate = Gate()
        self.connections = 0
        self.clients: list[ServedClient] = []
        """The clients that have opened a generator."""
        self._cuts = list(cuts)
        self._served: list[CutConnection] = []

    @property
    def pings(self) -> int:
        """How often clients have asked if the engine is still there, and got an answer."""
        return sum(connection.pings for connection in self._served)

    def connect(self, _lost: Connection | None = None) -> Connection:
        """Return a client's end of a new connection."""
        self.connections += 1
        theirs, ours = Pipe()
        connection = CutConnection(ours, self._cuts.pop(0) if self._cuts else -1)
        self._served.append(connection)
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        return Connection(theirs)

    def generator(self, meter: PrefillMeter = NO_METER, opening: Open = OPENING) -> SharedGenerator:
        """Return a client's generator."""
        return SharedGenerator(self.connect, opening, self.model.tokenizer.vocabulary, meter)

    def _serve(self, connection: Connection) -> None:
        with suppress(ConnectionLost):
            opening = connection.receive()
            assert isinstance(opening, Open)
            self.clients.append(ServedClient(connection, self.model, self.gate, opening))
            self.clients[-1].serve()
        connection.close()


def markov(seed: int = 1) -> MarkovModel:
    """Return a model of many likings."""
    size = manifest().vocabulary
    return MarkovModel(np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32) * 3)


def served(*cuts: int, model: Callable[[], Model] = markov) -> Served:
    """Return an engine with a model of the tests."""
    return Served(loaded_model(model()), *cuts)
