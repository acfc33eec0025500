"""The completer: loading, one worker, the newest request wins, and every request gets an answer."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from midfill.cancel import CancelFlag
from midfill.completer import CanComplete, Completer, engine_loader
from midfill.completion import Completion, Request
from midfill.engine import Progress
from midfill.errors import BundleNotFound, ModelError
from midfill.settings import Settings

PATIENCE = 30.0
"""Seconds after which an event that does not come is a failure; none is ever waited for in vain."""
SENTINEL = "sentinel_7f3a"


class Panic(BaseException):
    """What a panic in a Rust library is in Python: no Exception."""


class Worker:
    """An engine whose every request waits at a gate, and can be stopped there unless it is in a long step."""

    def __init__(self, fault: BaseException | None = None, long_step: bool = False) -> None:
        self.fault = fault
        self.long_step = long_step
        self.begun: list[str] = []
        self.arrived = threading.Semaphore(0)
        self.gate = threading.Event()

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        self.begun.append(request.text)
        self.arrived.release()
        if self.long_step:
            assert self.gate.wait(PATIENCE)
        else:
            with cancel.interrupting(self.gate.set):
                assert self.gate.wait(PATIENCE)
            if cancel.is_set:
                self.gate.clear()
        cancel.check()
        if self.fault:
            raise self.fault
        return Completion(text=f"{request.text}!", start=request.offset, end=request.offset)


def asking(text: str) -> Request:
    """Ask for a completion at the end of a text."""
    return Request(text=text, offset=len(text))


@pytest.fixture
def completers() -> Iterator[Callable[[CanComplete], Completer]]:
    """Make completers that have loaded an engine, and close them in the end."""
    made: list[Completer] = []

    def make(engine: CanComplete) -> Completer:
        completer = Completer(lambda _progress: engine)
        completer.start().result(PATIENCE)
        made.append(completer)
        return completer

    yield make
    for completer in made:
        completer.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect what Midfill logs, formatted as any application would, not as Midfill does."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("midfill")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


async def has_begun(worker: Worker) -> None:
    """Wait until the worker has taken up one more request."""
    assert await asyncio.to_thread(worker.arrived.acquire, timeout=PATIENCE)


async def reason_of(answer: asyncio.Task[Completion]) -> str:
    """Wait for an answer and return why it is empty."""
    completion = await asyncio.wait_for(answer, PATIENCE)
    assert completion.text == ""
    assert completion.start == completion.end
    return completion.reason


async def test_request_is_answered_by_the_engine(completers: Callable[[CanComplete], Completer]) -> None:
    """The engine's suggestion is the answer."""
    worker = Worker()
    worker.gate.set()
    assert (await completers(worker).complete(asking("a"))).text == "a!"


async def test_requests_before_loading_are_answered() -> None:
    """Nothing is loaded yet, and the answer says so."""
    assert (await Completer(lambda _: Worker()).complete(asking("a"))).reason == "idle"


async def test_requests_while_loading_are_answered_at_once() -> None:
    """Nobody waits for the model; once it is there, requests are completed."""
    may_load, worker = threading.Event(), Worker()
    worker.gate.set()

    def load(progress: Progress) -> CanComplete:
        progress("loading", 0.5)
        assert may_load.wait(PATIENCE)
        return worker

    reports: list[tuple[str, float]] = []
    completer = Completer(load)
    loaded = completer.start(lambda message, fraction: reports.append((message, fraction)))
    answers = [await completer.complete(asking("a")) for _ in range(3)]
    assert [(answer.reason, answer.text) for answer in answers] == [("loading", "")] * 3
    may_load.set()
    await asyncio.wrap_future(loaded)
    assert completer.state == "ready"
    assert reports == [("loading", 0.5)]
    assert (await completer.complete(asking("a"))).text == "a!"
    assert worker.begun == ["a"], "what was asked while loading is not made up for"
    completer.close()


@pytest.mark.parametrize("fault", [BundleNotFound("none"), ValueError("odd"), Panic("at line 1")], ids=repr)
async def test_failure_to_load_is_told_and_remembered(fault: BaseException) -> None:
    """Whatever it was, the future raises it, and every request from then on is answered "failed"."""

    def load(_progress: Progress) -> CanComplete:
        raise fault

    completer = Completer(load)
    loaded = completer.start()
    assert loaded.exception(PATIENCE) is fault
    assert completer.error is fault
    assert (await completer.complete(asking("a"))).reason == "failed"
    completer.close()


def test_loader_loads_the_bundle_of_the_settings(tmp_path: Path) -> None:
    """The error of a missing bundle names the place the settings name."""
    with pytest.raises(BundleNotFound, match=r"nowhere"):
        engine_loader(Settings(bundle=tmp_path / "nowhere"))(lambda *_: None)


async def test_newer_request_supersedes_the_one_that_runs(completers: Callable[[CanComplete], Completer]) -> None:
    """The older is interrupted and answered so; the newer is completed."""
    worker = Worker()
    completer = completers(worker)
    older = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    newer = asyncio.create_task(completer.complete(asking("ab")))
    assert await reason_of(older) == "superseded"
    await has_begun(worker)
    worker.gate.set()
    assert (await newer).text == "ab!"


async def test_request_superseded_while_it_waits_never_begins(completers: Callable[[CanComplete], Completer]) -> None:
    """Of many requests, the first and the last are all that the engine sees."""
    worker = Worker(long_step=True)
    completer = completers(worker)
    first = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    waiting = [asyncio.create_task(completer.complete(asking(f"a{number}"))) for number in range(5)]
    await asyncio.sleep(0)  # they are queued now
    worker.gate.set()
    assert [await reason_of(answer) for answer in (first, *waiting[:-1])] == ["superseded"] * 5
    assert (await waiting[-1]).text == "a4!"
    assert worker.begun == ["a", "a4"]


async def test_cancelled_request_stops_and_the_next_is_served(completers: Callable[[CanComplete], Completer]) -> None:
    """Cancelling the caller interrupts the engine; the worker is free again."""
    worker = Worker()
    completer = completers(worker)
    answer = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    following = asyncio.create_task(completer.complete(asking("b")))
    await has_begun(worker)
    worker.gate.set()
    assert (await following).text == "b!"


async def test_request_cancelled_before_it_begins_never_does(completers: Callable[[CanComplete], Completer]) -> None:
    """A request cancelled in the queue costs the engine nothing."""
    worker = Worker(long_step=True)
    completer = completers(worker)
    running = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    waiting = asyncio.create_task(completer.complete(asking("b")))
    await asyncio.sleep(0)  # it is queued now
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    worker.gate.set()
    assert await reason_of(running) == "superseded"
    assert (await completer.complete(asking("c"))).text == "c!"
    assert worker.begun == ["a", "c"]


@pytest.mark.parametrize("fault", [ModelError(SENTINEL), ValueError(SENTINEL), Panic(SENTINEL)], ids=type)
async def test_fault_of_the_engine_is_an_empty_answer_and_a_line_without_text(
    fault: BaseException, completers: Callable[[CanComplete], Completer], log: io.StringIO
) -> None:
    """The request is answered, the log names the fault and where it arose, and the next request is served."""
    worker = Worker(fault)
    worker.gate.set()
    completer = completers(worker)
    answer = await completer.complete(asking(SENTINEL))
    assert (answer.text, answer.reason) == ("", "failed")
    assert SENTINEL not in log.getvalue()
    assert type(fault).__name__ in log.getvalue()
    assert "test_completer.py" in log.getvalue()
    worker.fault = None
    assert (await completer.complete(asking("a"))).text == "a!"


async def test_close_stops_what_runs_and_answers_what_waits() -> None:
    """No request is left without an answer, and those that come later get one too."""
    worker = Worker()
    completer = Completer(lambda _: worker)
    await asyncio.wrap_future(completer.start())
    running = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    waiting = asyncio.create_task(completer.complete(asking("b")))
    await asyncio.sleep(0)  # it is queued now
    completer.close()
    assert [await reason_of(running), await reason_of(waiting)] == ["superseded", "cancelled"]
    assert (await completer.complete(asking("c"))).reason == "closed"


async def test_close_while_loading_waits_for_the_end_of_it() -> None:
    """Loading ends first, and what it brought is not used any more."""
    loading, may_load = threading.Event(), threading.Event()

    def load(_progress: Progress) -> CanComplete:
        loading.set()
        assert may_load.wait(PATIENCE)
        return Worker()

    completer = Completer(load)
    loaded = completer.start()
    assert loading.wait(PATIENCE)
    closing = asyncio.create_task(asyncio.to_thread(completer.close))
    assert (await completer.complete(asking("a"))).reason == "loading"
    assert not closing.done()
    may_load.set()
    await closing
    assert loaded.done()
    assert (await completer.complete(asking("a"))).reason == "closed"


def test_close_without_ever_loading() -> None:
    """A client that leaves at once leaves nothing behind, and closing again does no harm."""
    completer = Completer(lambda _: Worker())
    completer.close()
    completer.close()
    assert completer.state == "closed"
