"""What an engine process does with what its clients send: a client that lies loses its connection, and nobody else."""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe

import numpy as np
import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelChanged
from midfill.engine.connection import Connection
from midfill.engine.gate import Gate
from midfill.engine.messages import (
    MAX_BYTES,
    Cancel,
    Ended,
    Figures,
    Generate,
    Join,
    Message,
    Open,
    Prefill,
    Score,
    Token,
)
from midfill.engine.served_client import ServedClient
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.sampling import Sampling
from midfill.sharing.connection import ConnectionLost
from unit.engine.served import OPENING, Served, markov
from unit.engine.test_shared_model import PROMPT, REQUEST, local, tokens
from unit.helpers import loaded_model, manifest
from waiting import LIMIT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet")

IDS = np.array(PROMPT, np.int32)
GENERATE = Generate(
    number=1,
    document="a.py",
    max_tokens=8,
    stop_tokens=[],
    required_prefix="",
    sampling=None,
    ahead=False,
    prompt=IDS,
)
UNKNOWN = np.array([manifest().vocabulary], np.int32)
NEGATIVE = np.array([-1], np.int32)
EMPTY = np.array([], np.int32)


class Client:
    """A client that sends what it likes."""

    def __init__(self, model: LoadedModel, opening: Open = OPENING) -> None:
        self.raw, ours = Pipe()
        self.connection = Connection(self.raw)
        self._ours = Connection(ours)
        self.changes: list[str] = []
        """One entry for each time that the engine was told that its model's weights were changed."""
        self.serving = threading.Thread(target=self._serve, args=(model, opening), daemon=True)
        self.serving.start()

    def _serve(self, model: LoadedModel, opening: Open) -> None:
        with suppress(ConnectionLost):
            changed = partial(self.changes.append, "changed")
            ServedClient(self._ours, model, Gate(), opening, on_changed=changed).serve()
        self._ours.close()

    def answers(self, number: int) -> list[Message]:
        """Return all answers to a request, and those that came before."""
        answers: list[Message] = []
        while not (answers and isinstance(answers[-1], Ended) and answers[-1].number == number):
            answers.append(self.connection.receive(LIMIT))
        return answers


@pytest.fixture
def client() -> Client:
    """Return a client of an engine with a model of many likings."""
    return Client(loaded_model(markov()))


@pytest.mark.parametrize(
    "message",
    [
        replace(GENERATE, prompt=UNKNOWN),
        replace(GENERATE, prompt=NEGATIVE),
        replace(GENERATE, prompt=EMPTY),
        replace(GENERATE, drafts=UNKNOWN),
        replace(GENERATE, drafts=np.array([-2], np.int32)),
        replace(GENERATE, max_tokens=0),
        replace(GENERATE, max_tokens=1_000_000),
        replace(GENERATE, sampling=Sampling(drawn=10**12)),
        replace(GENERATE, sampling=Sampling(drawn=-1)),
        replace(GENERATE, required_prefix="x" * 1_000_000),
        Prefill(number=1, document="", prompt=UNKNOWN),
        Score(number=1, prompt=IDS, text=UNKNOWN),
        Score(number=1, prompt=EMPTY, text=IDS),
        OPENING,
        Join(keep_seconds=1),
        Token(number=1, values=[], figures=Figures()),
    ],
)
def test_message_that_no_server_sends_ends_the_connection(client: Client, message: Message) -> None:
    """Ids outside of the vocabulary would be read outside of the model's tables."""
    client.connection.send(message)
    client.serving.join(LIMIT)
    assert not client.serving.is_alive()
    with pytest.raises(ConnectionLost):
        client.connection.receive(LIMIT)


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, b"x" * (MAX_BYTES + 1)])
def test_garbage_ends_the_connection(client: Client, data: bytes) -> None:
    """Also a message that is too large, of which nothing is read."""
    with suppress(OSError):  # the engine may have closed before all was sent
        client.raw.send_bytes(data)
    client.serving.join(LIMIT)
    assert not client.serving.is_alive()


@pytest.mark.parametrize(
    "opening",
    [
        replace(OPENING, context=0),
        replace(OPENING, context=1_000_000_000),
        replace(OPENING, max_draft_tokens=1_000_000_000),
        replace(OPENING, max_draft_tokens=-1),
        replace(OPENING, cache_bytes=-1),
    ],
)
def test_generator_that_no_server_opens_is_refused(opening: Open) -> None:
    """Its caches could take all memory."""
    client = Client(loaded_model(markov()), opening)
    client.serving.join(LIMIT)
    assert not client.serving.is_alive()


def test_newest_request_wins(client: Client) -> None:
    """An older one that still waits or runs is cancelled, and answered all the same."""
    for number in (1, 2, 3):
        client.connection.send(replace(GENERATE, number=number))
    answers = client.answers(3)
    assert [answer.number for answer in answers if isinstance(answer, Ended)] == [1, 2, 3]
    assert [answer.cancelled for answer in answers if isinstance(answer, Ended)][2] is False
    assert sum(isinstance(answer, Token) and answer.number == 3 for answer in answers) == 8


def test_cancel_of_an_older_request_does_not_stop_the_newest(client: Client) -> None:
    """It comes late, because its request has ended meanwhile."""
    client.connection.send(replace(GENERATE, number=7))
    client.connection.send(Cancel(number=6, urgent=True))
    ended = client.answers(7)[-1]
    assert isinstance(ended, Ended)
    assert not ended.cancelled


def test_engine_learns_that_its_weights_were_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it must end, for nothing that it computes would be right; the client starts another one."""
    model = markov()

    def refuse(*_: object) -> None:
        raise ModelChanged("The weights were changed.")

    monkeypatch.setattr(model, "step", refuse)
    client = Client(loaded_model(model))
    client.connection.send(GENERATE)
    [ended] = client.answers(1)
    assert isinstance(ended, Ended)
    assert ended.failure == "The weights were changed."
    assert client.changes == ["changed"]


def test_other_clients_go_on_when_one_lies() -> None:
    """One model serves both; what is wrong with one client is nothing to the other."""
    engine = Served(loaded_model(markov()))
    generator = engine.generator()
    with closing(generator.generate(REQUEST, CancelFlag())) as stream:
        first = next(stream)
        liar = engine.connect()
        liar.send(OPENING)
        liar.send(replace(GENERATE, prompt=UNKNOWN))
        with pytest.raises(ConnectionLost):
            liar.receive(LIMIT)
        assert [first, *stream] == tokens(local(), REQUEST)
