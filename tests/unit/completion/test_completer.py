"""The completer: loading, one worker, the newest request wins, every request gets an answer, idle time is used."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import BundleNotFound, ModelError
from midfill.completion.completer import CanComplete, Completer, make_completer
from midfill.completion.engine import OnLoading, WorkspaceRetrieval
from midfill.completion.types import Completion, Request
from midfill.settings.schema import Settings

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
        self.warmed_up: list[str] = []
        self.forgotten: list[str] = []
        self.arrived = threading.Semaphore(0)
        self.gate = threading.Event()
        self.workspace: WorkspaceRetrieval | None = None
        self.settings = Settings()

    def spell(self, ids: Sequence[int]) -> str:
        return f"{len(ids)} tokens"

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        self.begun.append(request.text)
        self._wait(cancel)
        return Completion(text=f"{request.text}!", start=request.offset, end=request.offset)

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        self.warmed_up.append(request.text)
        self._wait(cancel)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)

    def _wait(self, cancel: CancelFlag) -> None:
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


def asking(text: str, path: str = "") -> Request:
    """Ask for a completion at the end of a text, in a document of its own unless ``path`` says which."""
    return Request(text=text, offset=len(text), path=path or f"/{text}")


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


async def test_typing_along_a_suggestion_needs_no_engine(completers: Callable[[CanComplete], Completer]) -> None:
    """The rest of it is the answer; whatever else was asked is superseded, and a closed document is forgotten."""
    worker = Worker()
    completer = completers(worker)
    worker.gate.set()
    assert (await completer.complete(asking("a", "/x"))).text == "a!"
    await has_begun(worker)
    worker.gate.clear()
    other = asyncio.create_task(completer.complete(asking("b", "/y")))
    await has_begun(worker)
    assert (await completer.complete(asking("a", "/x"))).text == "a!"
    assert (await completer.complete(asking("aa", "/x"))).text == "!"
    assert await reason_of(other) == "superseded"
    completer.forget("/x")
    worker.gate.set()
    await completer.complete(asking("a", "/x"))
    assert worker.begun == ["a", "b", "a"]


async def test_requests_before_loading_are_answered() -> None:
    """Nothing is loaded yet, and the answer says so."""
    assert (await Completer(lambda _: Worker()).complete(asking("a"))).reason == "idle"


async def test_request_waits_for_loading() -> None:
    """Who asks while the model loads gets a suggestion when it is there; of several who asked, the last."""
    may_load, worker = threading.Event(), Worker()
    worker.gate.set()

    def load(progress: OnLoading) -> CanComplete:
        progress("loading", 0.5)
        assert may_load.wait(PATIENCE)
        return worker

    reports: list[tuple[str, float]] = []
    completer = Completer(load)
    loaded = completer.start(lambda message, fraction: reports.append((message, fraction)))
    older, newest = (asyncio.create_task(completer.complete(asking(text))) for text in ("a", "ab"))
    given_up = asyncio.create_task(completer.complete(asking("abc")))
    latest = asyncio.create_task(completer.complete(asking("abcd")))
    await asyncio.sleep(0)  # they are queued now
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert completer.state == "loading"
    may_load.set()
    await asyncio.wrap_future(loaded)
    assert completer.state == "ready"
    assert reports == [("loading", 0.5)]
    assert [await reason_of(older), await reason_of(newest)] == ["superseded"] * 2
    assert (await latest).text == "abcd!"
    assert worker.begun == ["abcd"]
    completer.close()


async def test_request_that_waits_for_a_failing_load_is_answered() -> None:
    """It is told "failed", as those after it."""
    may_load = threading.Event()

    def load(_progress: OnLoading) -> CanComplete:
        assert may_load.wait(PATIENCE)
        raise BundleNotFound("none")

    completer = Completer(load)
    loaded = completer.start()
    waiting = asyncio.create_task(completer.complete(asking("a")))
    await asyncio.sleep(0)  # it is queued now
    may_load.set()
    assert await reason_of(waiting) == "failed"
    assert isinstance(loaded.exception(PATIENCE), BundleNotFound)
    completer.close()


@pytest.mark.parametrize("fault", [BundleNotFound("none"), ValueError("odd"), Panic("at line 1")], ids=repr)
async def test_failure_to_load_is_told_and_remembered(fault: BaseException) -> None:
    """Whatever it was, the future raises it, and every request from then on is answered "failed"."""

    def load(_progress: OnLoading) -> CanComplete:
        raise fault

    completer = Completer(load)
    loaded = completer.start()
    assert loaded.exception(PATIENCE) is fault
    assert completer.error is fault
    assert (await completer.complete(asking("a"))).reason == "failed"
    completer.close()


async def test_loader_loads_the_bundle_of_the_settings(tmp_path: Path) -> None:
    """The error of a missing bundle names the place the settings name."""
    with pytest.raises(BundleNotFound, match=r"nowhere"):
        await asyncio.wrap_future(make_completer(Settings(bundle=tmp_path / "nowhere")).start())


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


@pytest.mark.parametrize(("path", "urgent"), [("/same", False), ("/other", True)])
async def test_only_another_document_is_urgent(path: str, urgent: bool) -> None:
    """What is being read of a document serves the next request in it."""
    flags: list[CancelFlag] = []

    class Reader(Worker):
        def complete(self, request: Request, cancel: CancelFlag) -> Completion:
            flags.append(cancel)
            return super().complete(request, cancel)

    worker = Reader()
    completer = Completer(lambda _progress: worker)
    await asyncio.wrap_future(completer.start())
    older = asyncio.create_task(completer.complete(asking("a", "/same")))
    await has_begun(worker)
    newer = asyncio.create_task(completer.complete(asking("ab", path)))
    assert await reason_of(older) == "superseded"
    assert flags[0].urgent.is_set == urgent
    await has_begun(worker)
    newer.cancel()
    await asyncio.wait([newer])
    assert not flags[1].urgent.is_set, "the next keystroke mostly cancels before it asks"
    completer.close()


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
    """Loading ends first, what it brought is not used any more, and who waited for it is answered."""
    loading, may_load = threading.Event(), threading.Event()

    def load(_progress: OnLoading) -> CanComplete:
        loading.set()
        assert may_load.wait(PATIENCE)
        return Worker()

    completer = Completer(load)
    loaded = completer.start()
    assert loading.wait(PATIENCE)
    waiting = asyncio.create_task(completer.complete(asking("a")))
    await asyncio.sleep(0)  # it is queued now
    closing = asyncio.create_task(asyncio.to_thread(completer.close))
    done, _ = await asyncio.wait([closing], timeout=0.05)
    assert not done
    may_load.set()
    await closing
    assert await reason_of(waiting) == "cancelled"
    assert loaded.done()
    assert (await completer.complete(asking("a"))).reason == "closed"


def test_close_without_ever_loading() -> None:
    """A client that leaves at once leaves nothing behind, and closing again does no harm."""
    completer = Completer(lambda _: Worker())
    completer.close()
    completer.close()
    assert completer.state == "closed"


SOON = 0.01
"""Idle seconds that a test need not wait for."""


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    for _ in range(round(PATIENCE / SOON)):
        if reached():
            return
        await asyncio.sleep(SOON)
    pytest.fail("it did not come")


async def idle_completer(engine: CanComplete, **idle: float) -> Completer:
    """Make a completer with timers that has loaded an engine."""
    completer = Completer(lambda _progress: engine, **idle)
    await asyncio.wrap_future(completer.start())
    return completer


async def test_idle_time_is_used_to_warm_up() -> None:
    """What is expected last is computed ahead, once, when nothing was asked for a while."""
    worker = Worker()
    worker.gate.set()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking("a"))
    completer.prepare(asking("ab"))
    await has_begun(worker)
    await asyncio.sleep(5 * SOON)
    assert worker.warmed_up == ["ab"]
    completer.close()


async def test_request_interrupts_the_warm_up() -> None:
    """It is served at once, however long warming up would take."""
    worker = Worker()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking("a"))
    await has_begun(worker)
    answer = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)  # so the gate, at which the warm-up stood, was left
    worker.gate.set()
    assert (await answer).text == "a!"
    assert (worker.warmed_up, worker.begun) == (["a"], ["a"])
    completer.close()


async def test_request_in_time_makes_the_warm_up_needless() -> None:
    """Who asks before the server is idle gets the only work that is done."""
    worker = Worker()
    worker.gate.set()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking("a"))
    assert (await completer.complete(asking("a"))).text == "a!"
    await asyncio.sleep(5 * SOON)
    assert worker.warmed_up == []
    completer.close()


async def test_newer_edit_supersedes_the_warm_up() -> None:
    """The prompt of an older text is of no use any more."""
    worker = Worker()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking("a"))
    await has_begun(worker)
    completer.prepare(asking("ab"))
    await has_begun(worker)
    worker.gate.set()
    assert worker.warmed_up == ["a", "ab"]
    completer.close()


async def test_warm_up_does_not_disturb_a_request() -> None:
    """An edit while a request runs lets it run; warming up comes after it."""
    worker = Worker(long_step=True)
    completer = await idle_completer(worker, warm_up_after=SOON)
    answer = asyncio.create_task(completer.complete(asking("a")))
    await has_begun(worker)
    completer.prepare(asking("ab"))
    await asyncio.sleep(5 * SOON)
    assert worker.warmed_up == []
    worker.gate.set()
    assert (await answer).text == "a!"
    await has_begun(worker)
    assert worker.warmed_up == ["ab"]
    completer.close()


async def test_no_warm_up_when_it_is_off() -> None:
    """Zero is never."""
    worker = Worker()
    worker.gate.set()
    completer = await idle_completer(worker)
    completer.prepare(asking("a"))
    await asyncio.sleep(5 * SOON)
    assert worker.warmed_up == []
    completer.close()


@pytest.mark.parametrize("fault", [ModelError(SENTINEL), Panic(SENTINEL)], ids=type)
async def test_fault_while_warming_up_is_a_line_without_text(fault: BaseException, log: io.StringIO) -> None:
    """Nobody waits for it; the log names it, and the next request is served."""
    worker = Worker(fault)
    worker.gate.set()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking(SENTINEL))
    await until(lambda: type(fault).__name__ in log.getvalue())
    worker.fault = None
    assert (await completer.complete(asking("a"))).text == "a!"
    assert SENTINEL not in log.getvalue()
    completer.close()


async def test_closed_document_is_forgotten_and_not_warmed_up() -> None:
    """Its warm-up is interrupted or never begins, and the engine is told; another document's goes on."""
    worker = Worker()
    completer = await idle_completer(worker, warm_up_after=SOON)
    completer.prepare(asking("a"))
    completer.forget("/a")
    await asyncio.sleep(5 * SOON)
    assert worker.warmed_up == []
    completer.prepare(asking("b"))
    await has_begun(worker)
    completer.forget("/c")
    completer.forget("/b")
    answer = asyncio.create_task(completer.complete(asking("d")))
    await has_begun(worker)  # so the gate, at which the warm-up stood, was left
    worker.gate.set()
    assert (await answer).text == "d!"
    assert worker.forgotten == ["/a", "/c", "/b"]
    completer.close()
    completer.forget("/d")


async def test_engine_is_let_go_when_idle_and_comes_back() -> None:
    """Nobody holds it any more; started again, the completer loads another, and a request waits for that."""
    engines: list[weakref.ref[Worker]] = []

    def load(_progress: OnLoading) -> CanComplete:
        worker = Worker()
        worker.gate.set()
        engines.append(weakref.ref(worker))
        return worker

    completer = Completer(load, unload_after=SOON)
    completer.start()
    assert (await completer.complete(asking("a"))).text == "a!"
    await until(lambda: completer.state == "idle")
    assert (await completer.complete(asking("a"))).reason == "idle"
    completer.start()
    assert (await completer.complete(asking("b"))).text == "b!"
    assert engines[0]() is None
    assert len(engines) == 2
    completer.close()


class ManualTimer:
    """A timer that fires when the test says so."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds = seconds
        self.fire = callback
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1

    def stop(self) -> None:
        """Wait for the next restart."""


async def test_each_sign_of_life_keeps_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle time counts anew from each edit, each request, and from loading that takes longer than the idle time."""
    timers: dict[float, ManualTimer] = {}

    def make(seconds: float, callback: Callable[[], None]) -> ManualTimer:
        return timers.setdefault(seconds, ManualTimer(seconds, callback))

    monkeypatch.setattr("midfill.completion.completer.IdleTimer", make)
    may_load, worker = threading.Event(), Worker()
    worker.gate.set()

    def load(_progress: OnLoading) -> CanComplete:
        assert may_load.wait(PATIENCE)
        return worker

    completer = Completer(load, unload_after=60.0)
    timer = timers[60.0]
    loaded = completer.start()
    assert timer.restarts == 1
    timer.fire()
    assert (completer.state, timer.restarts) == ("loading", 2)
    may_load.set()
    await asyncio.wrap_future(loaded)
    completer.prepare(asking("a"))
    assert timer.restarts == 3
    await completer.complete(asking("a"))
    assert (completer.state, timer.restarts) == ("ready", 4)
    timer.fire()
    assert completer.state == "idle"
    completer.prepare(asking("a"))
    timer.fire()
    assert (completer.state, timer.restarts) == ("idle", 4)
    completer.close()


async def test_engine_stays_when_unloading_is_off() -> None:
    """Zero is never."""
    completer = await idle_completer(Worker())
    await asyncio.sleep(5 * SOON)
    assert completer.state == "ready"
    completer.close()


def test_settings_reach_the_timers() -> None:
    """Milliseconds and minutes become seconds, now and when they change."""
    completer = make_completer(Settings(warm_up_ms=250, unload_minutes=2, prefetch=False))
    timers = (completer._warm_up_timer, completer._unload_timer, completer._prefetch_timer)
    assert [timer.seconds for timer in timers] == [0.25, 120, 0]
    completer.configure(Settings(warm_up_ms=0, unload_minutes=1))
    assert [timer.seconds for timer in timers][:2] == [0, 60]
    assert timers[2].seconds > 0
    completer.close()


async def test_what_comes_after_the_suggestion_shown_is_written_ahead() -> None:
    """Whoever accepts it has the next one at once; without idle time nothing is written."""
    worker = Worker()
    worker.gate.set()
    completer = Completer(lambda _: worker, prefetch_after=SOON)
    await asyncio.wrap_future(completer.start())
    await completer.complete(asking("if a:", path="p"))
    while len(worker.begun) < 2:
        await asyncio.sleep(SOON)
    assert worker.begun == ["if a:", "if a:if a:!\n"]
    await asyncio.sleep(SOON)
    accepted = Request(text="if a:if a:!\n", offset=12, path="p", automatic=True)
    assert (await completer.complete(accepted)).text == "if a:if a:!\n!"
    assert len(worker.begun) == 2
    completer.close()


async def test_engine_is_told_of_workspace_and_settings(completers: Callable[[CanComplete], Completer]) -> None:
    """Before it is loaded as afterwards."""
    worker = Worker()
    worker.gate.set()
    completer = completers(worker)
    settings = Settings(max_lines=3)
    completer.configure(settings)
    completer.work_in(library := cast("WorkspaceRetrieval", object()))
    await completer.complete(asking("a"))
    assert (worker.settings, worker.workspace) == (settings, library)


async def test_debounce_spares_requests_that_are_overtaken(completers: Callable[[CanComplete], Completer]) -> None:
    """Once a rhythm is known, only the last of a burst of keys reaches the engine; asking outright does not wait."""
    worker = Worker()
    worker.gate.set()
    completer = completers(worker)
    completer.configure(Settings(debounce_ms=5000))
    for length in range(1, 5):
        await completer.complete(replace(asking("x" * length), automatic=True))
        await asyncio.sleep(0.1)
    worker.begun.clear()
    burst = [replace(asking(text), automatic=True) for text in ("a", "ab", "abc")]
    reasons = [(await task).reason for task in [asyncio.create_task(completer.complete(each)) for each in burst]]
    assert reasons == ["superseded", "superseded", ""]
    assert worker.begun == ["abc"]
