"""A generator in another process makes the same tokens as one in this process, whatever becomes of that process."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from multiprocessing import Pipe

import numpy as np
import pytest
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import EngineUnavailable, ModelError
from midfill.engine import heartbeat
from midfill.engine.connection import Connection
from midfill.engine.engine_process import EngineProcess
from midfill.engine.gate import Priority
from midfill.engine.messages import Ready
from midfill.engine.shared_model import SharedGenerator, SharedModel
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import ScriptedModel
from midfill.inference.preemption import StepQueue
from midfill.inference.prefill_throughput import speed_key
from midfill.inference.prompt_lookup import SEPARATOR
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import Deadline, GenerationRequest, LanguageModel, TokenGenerator
from unit.engine.served import OPENING, Served, markov, served
from unit.helpers import MarkovModel, encode, loaded_model, manifest
from waiting import LIMIT, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="servers share no engine on Windows yet")

PROMPT = encode("def add(left, right):\n    return left + ri")
REQUEST = GenerationRequest(prompt=PROMPT, max_tokens=24, stop_tokens=frozenset({manifest().stop_tokens[0]}))
REQUESTS = {
    "greedy": REQUEST,
    "drafts": replace(REQUEST, drafts=np.array([*PROMPT, SEPARATOR, *PROMPT[::-1], SEPARATOR], np.int32)),
    "healing": replace(REQUEST, required_prefix="ri"),
    "sampling": replace(REQUEST, sampling=Sampling(temperature=1.5, top_p=0.95, seed=3)),
    "one token": replace(REQUEST, max_tokens=1),
    "no token": replace(REQUEST, stop_tokens=range(manifest().vocabulary)),
}


def tokens(generator: TokenGenerator, request: GenerationRequest, flag: CancelFlag | None = None) -> list[Choice]:
    """Return all that is generated."""
    return list(generator.generate(request, flag or CancelFlag()))


def local(model: LanguageModel | None = None) -> TokenGenerator:
    """Return a generator of this process."""
    return (model or loaded_model(markov())).new_generator(context=1024, cache_bytes=0, max_draft_tokens=8)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_tokens_are_those_of_one_process(request_: GenerationRequest) -> None:
    """To the last bit, with their log-probabilities and runners-up; also the second time, with a KV cache."""
    expected, generator = tokens(local(), request_), served().generator()
    assert tokens(generator, request_) == expected
    assert tokens(generator, request_) == expected


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("messages", [0, 1, 2, 7, 23])
def test_engine_that_ends_costs_no_token(request_: GenerationRequest, messages: int) -> None:
    """When the engine ends before the first token, or after some, another one goes on from the tokens that came."""
    engine = served(messages)
    assert tokens(engine.generator(), request_) == tokens(local(), request_)


def test_engine_that_ends_during_other_work() -> None:
    """A prompt that is computed ahead is computed by another engine; so is the score of a text."""
    engine, text = served(0, 5), PROMPT[::-1]
    generator = engine.generator()
    generator.prefill(PROMPT, "a.py", CancelFlag())
    assert list(generator.score(PROMPT, text, CancelFlag())) == list(local().score(PROMPT, text, CancelFlag()))
    assert engine.connections == 3


def test_engines_that_keep_ending_fail_the_request() -> None:
    """It is not tried for ever: the request itself may be what ends them. The next one is served."""
    engine = served(1, 1)
    generator = engine.generator()
    with pytest.raises(EngineUnavailable, match="its process ended twice during one request"):
        tokens(generator, REQUEST)
    assert tokens(generator, REQUEST) == tokens(local(), REQUEST)


def test_figures_are_there_with_the_first_token() -> None:
    """How much was found in the KV cache, and how long the prefill took."""
    generator = served().generator()
    tokens(generator, REQUEST)
    with closing(generator.generate(REQUEST, CancelFlag())) as stream:
        next(stream)
        assert stream.stats.reused_tokens == len(PROMPT)
        assert stream.stats.prefill_seconds > 0


def test_figures_of_a_text_without_tokens() -> None:
    """They are there at its end."""
    stream = served().generator().generate(REQUESTS["no token"], CancelFlag())
    assert list(stream) == []
    assert stream.stats.prefill_seconds > 0


def test_request_that_is_left_does_not_disturb_the_next_one() -> None:
    """Tokens that were on their way are not taken for those of the next request."""
    generator = served().generator()
    other = replace(REQUEST, prompt=PROMPT[:-3])
    for _ in range(50):
        with closing(generator.generate(REQUEST, CancelFlag())) as stream:
            first = next(stream)
        assert first == tokens(local(), REQUEST)[0]
        assert tokens(generator, other) == tokens(local(), other)


def test_deadline_ends_the_text_after_a_token() -> None:
    """It begins with the first token, as in one process."""
    ticks = itertools.count()
    request = replace(REQUEST, deadline=Deadline(2.5, lambda: float(next(ticks))))
    assert len(tokens(served().generator(), request)) == 3
    assert request.deadline is not None
    assert request.deadline.has_passed


def test_model_that_fails_says_why() -> None:
    """The error is the same as in one process, and the next request is served."""
    generator = served().generator()
    with pytest.raises(ModelError, match="do not fit the context"):
        tokens(served(model=TooSmall).generator(), REQUEST)
    assert tokens(generator, REQUEST) == tokens(local(), REQUEST)


class TooSmall(MarkovModel):
    """A model that refuses each step."""

    def __init__(self) -> None:
        super().__init__(np.zeros((1, 1), np.float32))

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        raise ModelError("9 tokens do not fit the context of 8: lower 'contextTokens'.")


class Slow(ScriptedModel):
    """A model whose steps last until they are interrupted, or somebody lets them go."""

    def __init__(self) -> None:
        super().__init__(encode("add(left"), manifest().stop_tokens[0], manifest().vocabulary)
        self.running, self.go = threading.Semaphore(0), threading.Event()
        self.begun: list[int] = []
        """The last token of each step that was begun."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        self.begun.append(ids[-1])
        self.running.release()
        with cancel.interrupting(self.go.set):
            assert self.go.wait(LIMIT)
        cancel.check()
        return super().step(ids, cache, rows, cancel)


def test_cancel_stops_a_step() -> None:
    """The reason is the one that the flag was set with."""
    model = Slow()
    flag = CancelFlag(urgent=CancelFlag())

    def stop() -> None:
        model.running.acquire()
        flag.set("superseded")

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled, match="superseded"):
        list(served(model=lambda: model).generator().generate(REQUEST, flag))
    stopper.join(LIMIT)
    assert model.steps == []


def test_cancel_that_is_not_urgent_lets_a_chunk_of_the_prompt_end() -> None:
    """The next keystroke in the same document needs the same chunk."""
    model = Slow()
    engine, flag = served(model=lambda: model), CancelFlag(urgent=CancelFlag())

    def stop() -> None:
        model.running.acquire()
        flag.set("superseded", urgent=False)
        wait_until(lambda: engine.clients[0]._flag.is_set)
        model.go.set()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled, match="superseded"):
        engine.generator().prefill([*PROMPT] * 20, "a.py", flag)
    stopper.join(LIMIT)
    assert len(model.steps) == 1


def test_engine_that_stands_still_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped does not end. It does not answer either."""
    monkeypatch.setattr(heartbeat, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "ANSWER_SECONDS", 0.1)
    (_stopped, ours), engine = Pipe(), served()
    connections = iter([Connection(ours)])
    generator = SharedGenerator(
        lambda _: next(connections, None) or engine.connect(), OPENING, engine.model.tokenizer.vocabulary
    )
    assert tokens(generator, REQUEST) == tokens(local(), REQUEST)


@pytest.mark.timeout(120)
def test_cancel_does_not_wait_for_an_engine_that_stands_still() -> None:
    """A request is larger than what the system keeps for a process that does not read. Who cancels has other work."""
    stopped, ours = Pipe()
    flag = CancelFlag(urgent=CancelFlag())
    generator = SharedGenerator(lambda _: Connection(ours), OPENING, served().model.tokenizer.vocabulary)
    large = replace(REQUEST, drafts=np.zeros(1_000_000, np.int32))
    with ThreadPoolExecutor(max_workers=1) as threads:
        asked = threads.submit(tokens, generator, large, flag)
        wait_until(lambda: flag._interrupt is not None, "the request")
        flag.set("cancelled")
        assert not asked.done()
        stopped.close()
        with pytest.raises(Cancelled):
            asked.result(LIMIT)


def test_engine_that_computes_for_long_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers questions meanwhile."""
    monkeypatch.setattr(heartbeat, "SILENT_SECONDS", 0.2)
    model = Slow()
    engine = served(model=lambda: model)
    with ThreadPoolExecutor(max_workers=1) as threads:
        asked = threads.submit(tokens, engine.generator(), REQUEST)
        wait_until(lambda: engine.pings >= 3)
        model.go.set()
        assert len(asked.result(LIMIT)) == len(encode("add(left"))
    assert engine.connections == 1


def test_flag_that_is_set_before_computes_nothing() -> None:
    """As in one process."""
    model, flag = Slow(), CancelFlag()
    flag.set("cancelled")
    with pytest.raises(Cancelled):
        list(served(model=lambda: model).generator().generate(REQUEST, flag))
    assert model.steps == []


@pytest.mark.parametrize("urgent", [REQUEST, replace(REQUEST, ahead=True)], ids=["typing", "work ahead"])
def test_typing_of_one_client_goes_before_the_action_of_another(urgent: GenerationRequest) -> None:
    """A step of the action is interrupted, and done again when the suggestion is complete. Work ahead waits."""
    model = Slow()
    engine, other = served(model=lambda: model), [1, 2, 3]
    with ThreadPoolExecutor(max_workers=2) as threads:
        action = replace(REQUEST, prompt=other, max_tokens=1)
        acting = threads.submit(tokens, engine.generator(opening=replace(OPENING, long_work=True)), action)
        assert model.running.acquire(timeout=LIMIT)
        typing = threads.submit(tokens, engine.generator(), replace(urgent, max_tokens=1))
        wait_until(lambda: engine.gate._waiting or typing.done())
        model.go.set()
        acting.result(LIMIT)
        typing.result(LIMIT)
    orders = {False: [3, PROMPT[-1], 3], True: [3, PROMPT[-1]]}
    assert model.begun == orders[urgent.ahead]


class EngineOfTests(EngineProcess):
    """Connects to an engine within this process."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def connect(self, lost: Connection | None = None) -> tuple[Connection, Ready]:
        return self._served.connect(lost), Ready(threads=3, process=7)


def test_work_with_steps_is_long_work() -> None:
    """An action's generator says that typing goes first. That of suggestions does not."""
    engine = served()
    model = SharedModel(engine.model.manifest, engine.model.tokenizer, EngineOfTests(engine))
    with ThreadPoolExecutor(max_workers=1) as worker:
        for steps in (StepQueue(worker), None):
            generator = model.new_generator(context=512, cache_bytes=0, max_draft_tokens=8, steps=steps)
            assert tokens(generator, REQUEST) == tokens(local(), REQUEST)
    assert [client._waited_for for client in engine.clients] == [Priority.ACTION, Priority.TYPING]
    assert (model.engine_process, model.speed_key) == (7, speed_key(model.manifest, 3))


class Readings:
    """A meter that notes what it is told."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.seconds: list[float] = []

    def timing(self, computed: Sized) -> AbstractContextManager[None]:
        return nullcontext()

    def learn(self, tokens: int, seconds: float, processor_seconds: float) -> None:
        self.tokens.append(tokens)
        self.seconds.append(seconds)


def test_times_of_prefills_are_reported() -> None:
    """They are measured in the engine, where the processor's time can be: once for each prompt."""
    meter = Readings()
    generator = served().generator(meter)
    tokens(generator, REQUEST)
    generator.prefill([*PROMPT, 1, 2, 3], "a.py", CancelFlag())
    assert meter.tokens == [len(PROMPT), 3]
    assert min(meter.seconds) > 0


def test_generators_have_caches_of_their_own() -> None:
    """What one client has computed is not found by another one."""
    engine = served()
    tokens(engine.generator(), REQUEST)
    stream = engine.generator().generate(REQUEST, CancelFlag())
    list(stream)
    assert stream.stats.reused_tokens == 0


def test_one_connection_serves_all_requests_of_a_generator() -> None:
    """And it is made with the first one."""
    engine: Served = served()
    generator = engine.generator()
    assert engine.connections == 0
    tokens(generator, REQUEST)
    tokens(generator, REQUEST)
    assert engine.connections == 1
