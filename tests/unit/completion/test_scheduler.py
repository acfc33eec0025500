"""The scheduler: the newest request wins, every request gets an answer, idle time is used."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from midfill.common.errors import BundleNotFound, EngineUnavailable, ModelChanged, ModelError, ModelLost, PolicyRefused
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.lifecycle import EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request
from midfill.inference.token_generator import OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.completion.gated_engine import PATIENCE, QUIET, Bench, GatedEngine, asking, reason_of

SENTINEL = "sentinel_7f3a"
WARM_UP = replace(QUIET, warm_up_ms=300)

Started = Callable[..., Awaitable[Bench]]


class Panic(BaseException):
    """An error like a panic of a Rust library, which is not an Exception in Python."""


@pytest_asyncio.fixture
async def started() -> AsyncIterator[Started]:
    """Return a function that starts a scheduler with a loaded engine; all are closed after the test."""
    made: list[Bench] = []

    async def start(engine: GatedEngine, settings: Settings = QUIET) -> Bench:
        made.append(bench := Bench(engine, settings))
        return await bench.start()

    yield start
    for bench in made:
        await asyncio.to_thread(bench.lifecycle.close)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return the text that Midfill logs, formatted by an ordinary handler and not by Midfill's own."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("midfill")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


async def test_request_is_answered_by_the_engine(started: Started) -> None:
    """The engine's suggestion is the answer."""
    bench = await started(GatedEngine(open_gate=True))
    assert (await bench.scheduler.complete(asking("a"))).text == "a!"


async def test_type_through_needs_no_engine(started: Started) -> None:
    """The rest of a typed suggestion is the answer, other requests are superseded, and closed documents forgotten."""
    engine = GatedEngine(open_gate=True)
    scheduler = (await started(engine)).scheduler
    assert (await scheduler.complete(asking("a", "/x"))).text == "a!"
    await engine.has_begun()
    engine.gate.clear()
    other = asyncio.create_task(scheduler.complete(asking("b", "/y")))
    await engine.has_begun()
    assert (await scheduler.complete(asking("a", "/x"))).text == "a!"
    assert (await scheduler.complete(asking("aa", "/x"))).text == "!"
    assert await reason_of(other) == "superseded"
    scheduler.forget("/x")
    engine.gate.set()
    await scheduler.complete(asking("a", "/x"))
    assert engine.begun == ["a", "b", "a"]


async def test_requests_before_loading_are_answered() -> None:
    """The reason of the answer is that the model is not loaded."""
    assert (await Bench(GatedEngine()).scheduler.complete(asking("a"))).reason == "idle"


async def test_request_waits_for_loading() -> None:
    """Of several requests during loading, the latest gets its suggestion after loading."""
    may_load, engine = threading.Event(), GatedEngine(open_gate=True)

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        assert may_load.wait(PATIENCE)
        return engine

    settings = LiveSettings(QUIET)
    lifecycle = EngineLifecycle(settings, load)
    scheduler = Scheduler(lifecycle, settings)
    loaded = lifecycle.start()
    older, newest = (asyncio.create_task(scheduler.complete(asking(text))) for text in ("a", "ab"))
    given_up = asyncio.create_task(scheduler.complete(asking("abc")))
    latest = asyncio.create_task(scheduler.complete(asking("abcd")))
    await asyncio.sleep(0)  # they are queued now
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert lifecycle.state == "loading"
    may_load.set()
    await asyncio.wrap_future(loaded)
    assert lifecycle.state == "ready"
    assert [await reason_of(older), await reason_of(newest)] == ["superseded"] * 2
    assert (await latest).text == "abcd!"
    assert engine.begun == ["abcd"]
    lifecycle.close()


async def test_request_that_waits_for_a_failing_load_is_answered() -> None:
    """The reason is "failed", for this request and for later ones."""
    may_load = threading.Event()

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        assert may_load.wait(PATIENCE)
        raise BundleNotFound("none")

    settings = LiveSettings(QUIET)
    lifecycle = EngineLifecycle(settings, load)
    scheduler = Scheduler(lifecycle, settings)
    loaded = lifecycle.start()
    waiting = asyncio.create_task(scheduler.complete(asking("a")))
    await asyncio.sleep(0)  # it is queued now
    may_load.set()
    assert await reason_of(waiting) == "failed"
    assert isinstance(loaded.exception(PATIENCE), BundleNotFound)
    assert (await scheduler.complete(asking("b"))).reason == "failed"
    lifecycle.close()


async def test_request_under_a_policy_that_forbids_the_model() -> None:
    """The reason is "policy": the user cannot change that, and the log has the line."""

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        raise PolicyRefused("no")

    settings = LiveSettings(QUIET)
    lifecycle = EngineLifecycle(settings, load)
    scheduler = Scheduler(lifecycle, settings)
    loaded = lifecycle.start()
    assert await reason_of(asyncio.create_task(scheduler.complete(asking("a")))) == "policy"
    assert isinstance(loaded.exception(PATIENCE), PolicyRefused)
    assert (await scheduler.complete(asking("b"))).reason == "policy"
    lifecycle.close()


async def test_newer_request_supersedes_the_one_that_runs(started: Started) -> None:
    """The older request is interrupted with the reason "superseded", and the newer one gets its suggestion."""
    engine = GatedEngine()
    scheduler = (await started(engine)).scheduler
    older = asyncio.create_task(scheduler.complete(asking("a")))
    await engine.has_begun()
    newer = asyncio.create_task(scheduler.complete(asking("ab")))
    assert await reason_of(older) == "superseded"
    await engine.has_begun()
    engine.gate.set()
    assert (await newer).text == "ab!"


@pytest.mark.parametrize(("path", "urgent"), [("/same", False), ("/other", True)])
async def test_only_another_document_is_urgent(path: str, urgent: bool, started: Started) -> None:
    """A request in the same document is not urgent, because it can use the chunk that is being computed."""
    engine = GatedEngine()
    scheduler = (await started(engine)).scheduler
    older = asyncio.create_task(scheduler.complete(asking("a", "/same")))
    await engine.has_begun()
    newer = asyncio.create_task(scheduler.complete(asking("ab", path)))
    assert await reason_of(older) == "superseded"
    assert engine.flags[0].urgent.is_set == urgent
    await engine.has_begun()
    newer.cancel()
    await asyncio.wait([newer])
    assert not engine.flags[1].urgent.is_set, "a cancellation mostly means that a request for the next key follows"


async def test_request_superseded_while_it_waits_never_begins(started: Started) -> None:
    """Of many requests, the engine gets only the first and the last."""
    engine = GatedEngine(long_step=True)
    scheduler = (await started(engine)).scheduler
    first = asyncio.create_task(scheduler.complete(asking("a")))
    await engine.has_begun()
    waiting = [asyncio.create_task(scheduler.complete(asking(f"a{number}"))) for number in range(5)]
    await asyncio.sleep(0)  # they are queued now
    engine.gate.set()
    assert [await reason_of(answer) for answer in (first, *waiting[:-1])] == ["superseded"] * 5
    assert (await waiting[-1]).text == "a4!"
    assert engine.begun == ["a", "a4"]


async def test_cancelled_request_stops_and_the_next_is_served(started: Started) -> None:
    """Cancelling the caller interrupts the engine, and the worker is free for the next request."""
    engine = GatedEngine()
    scheduler = (await started(engine)).scheduler
    answer = asyncio.create_task(scheduler.complete(asking("a")))
    await engine.has_begun()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    following = asyncio.create_task(scheduler.complete(asking("b")))
    await engine.has_begun()
    engine.gate.set()
    assert (await following).text == "b!"


async def test_request_cancelled_before_it_begins_never_does(started: Started) -> None:
    """The engine never gets a request that was cancelled while it waited."""
    engine = GatedEngine(long_step=True)
    scheduler = (await started(engine)).scheduler
    running = asyncio.create_task(scheduler.complete(asking("a")))
    await engine.has_begun()
    waiting = asyncio.create_task(scheduler.complete(asking("b")))
    await asyncio.sleep(0)  # it is queued now
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    engine.gate.set()
    assert await reason_of(running) == "superseded"
    assert (await scheduler.complete(asking("c"))).text == "c!"
    assert engine.begun == ["a", "c"]


@pytest.mark.parametrize("fault", [ModelError(SENTINEL), ValueError(SENTINEL), Panic(SENTINEL)], ids=type)
async def test_fault_of_the_engine_is_an_empty_answer_and_a_line_without_text(
    fault: BaseException, started: Started, log: io.StringIO
) -> None:
    """The request is answered, the log has the error's type and place, and the next request is served."""
    engine = GatedEngine(fault, open_gate=True)
    scheduler = (await started(engine)).scheduler
    answer = await scheduler.complete(asking(SENTINEL))
    assert (answer.text, answer.reason) == ("", "failed")
    assert SENTINEL not in log.getvalue()
    assert type(fault).__name__ in log.getvalue()
    assert "gated_engine.py" in log.getvalue()
    engine.fault = None
    assert (await scheduler.complete(asking("a"))).text == "a!"


@pytest.mark.parametrize("fault", [ModelChanged("It was changed."), EngineUnavailable("it has ended")], ids=type)
async def test_model_that_is_lost_is_loaded_again(fault: ModelLost, started: Started) -> None:
    """The request fails, and the next one may load what is there now."""
    scheduler = (await started(GatedEngine(fault, open_gate=True))).scheduler
    assert (await scheduler.complete(asking("a"))).reason == "failed"
    assert scheduler.state == "idle"


async def test_close_answers_all_requests(started: Started) -> None:
    """Running and waiting requests are answered, and so are requests after closing."""
    engine = GatedEngine()
    bench = await started(engine)
    running = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await engine.has_begun()
    waiting = asyncio.create_task(bench.scheduler.complete(asking("b")))
    await asyncio.sleep(0)  # it is queued now
    bench.close()
    assert [await reason_of(running), await reason_of(waiting)] == ["superseded", "cancelled"]
    assert (await bench.scheduler.complete(asking("c"))).reason == "closed"


async def test_idle_time_is_used_to_warm_up(started: Started) -> None:
    """After some time without a request, the prompt of the latest edit is computed ahead, once."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking("a"))
    bench.clock.advance(0.2)
    bench.scheduler.prepare(asking("ab"))
    bench.clock.advance(0.29)
    await bench.worker_is_done()
    assert engine.warmed_up == []
    bench.clock.advance(10)
    await bench.worker_is_done()
    assert engine.warmed_up == ["ab"]


async def test_request_interrupts_the_warm_up(started: Started) -> None:
    """The request does not wait for the end of the warm-up."""
    engine = GatedEngine()
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking("a"))
    bench.clock.advance(0.3)
    await engine.has_begun()
    answer = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await engine.has_begun()  # the warm-up has left the gate
    engine.gate.set()
    assert (await answer).text == "a!"
    assert (engine.warmed_up, engine.begun) == (["a"], ["a"])


async def test_no_warm_up_after_a_request(started: Started) -> None:
    """If the expected request comes before the warm-up, there is no warm-up."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking("a"))
    assert (await bench.scheduler.complete(asking("a"))).text == "a!"
    bench.clock.advance(10)
    await bench.worker_is_done()
    assert engine.warmed_up == []


async def test_newer_edit_supersedes_the_warm_up(started: Started) -> None:
    """A newer edit interrupts the warm-up for an older text."""
    engine = GatedEngine()
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking("a"))
    bench.clock.advance(0.3)
    await engine.has_begun()
    bench.scheduler.prepare(asking("ab"))
    bench.clock.advance(0.3)
    await engine.has_begun()
    engine.gate.set()
    await bench.worker_is_done()
    assert engine.warmed_up == ["a", "ab"]


async def test_warm_up_does_not_disturb_a_request(started: Started) -> None:
    """An edit does not interrupt a running request; the warm-up follows after it."""
    engine = GatedEngine(long_step=True)
    bench = await started(engine, WARM_UP)
    answer = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await engine.has_begun()
    bench.scheduler.prepare(asking("ab"))
    bench.clock.advance(0.3)
    assert engine.warmed_up == []
    engine.gate.set()
    assert (await answer).text == "a!"
    await engine.has_begun()
    assert engine.warmed_up == ["ab"]


async def test_warm_up_can_be_turned_off(started: Started) -> None:
    """A setting of 0 turns the warm-up off at once."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, WARM_UP)
    bench.change(warm_up_ms=0)
    bench.scheduler.prepare(asking("a"))
    bench.clock.advance(1e6)
    await bench.worker_is_done()
    assert engine.warmed_up == []


@pytest.mark.parametrize("fault", [ModelError(SENTINEL), Panic(SENTINEL)], ids=type)
async def test_fault_while_warming_up_is_a_line_without_text(
    fault: BaseException, started: Started, log: io.StringIO
) -> None:
    """The log has the error's type, and the next request is served."""
    engine = GatedEngine(fault, open_gate=True)
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking(SENTINEL))
    bench.clock.advance(0.3)
    await bench.worker_is_done()
    assert type(fault).__name__ in log.getvalue()
    engine.fault = None
    assert (await bench.scheduler.complete(asking("a"))).text == "a!"
    assert SENTINEL not in log.getvalue()


async def test_closed_document_is_forgotten_and_not_warmed_up(started: Started) -> None:
    """Its warm-up is interrupted or never begins, and the engine forgets it; other documents are not affected."""
    engine = GatedEngine()
    bench = await started(engine, WARM_UP)
    bench.scheduler.prepare(asking("a"))
    bench.scheduler.forget("/a")
    bench.clock.advance(10)
    await bench.worker_is_done()
    assert engine.warmed_up == []
    bench.scheduler.prepare(asking("b"))
    bench.clock.advance(0.3)
    await engine.has_begun()
    bench.scheduler.forget("/c")
    bench.scheduler.forget("/b")
    answer = asyncio.create_task(bench.scheduler.complete(asking("d")))
    await engine.has_begun()  # the warm-up has left the gate
    engine.gate.set()
    assert (await answer).text == "d!"
    assert engine.forgotten == ["/a", "/c", "/b"]
    bench.close()
    bench.scheduler.forget("/d")


async def test_text_after_the_suggestion_shown_is_generated_ahead(started: Started) -> None:
    """In idle time, the suggestion after the one shown is generated, so that a user who accepts it need not wait."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, replace(QUIET, prefetch=True))
    await bench.scheduler.complete(asking("if a:", path="p"))
    bench.clock.advance(0.1)
    await bench.worker_is_done()
    assert engine.begun == ["if a:"]
    bench.clock.advance(0.1)
    await asyncio.sleep(0)  # the task of the prefetch begins
    await bench.worker_is_done()
    assert engine.begun == ["if a:", "if a:if a:!\n"]
    await asyncio.sleep(0)  # and adds its result to the completion cache
    accepted = Request(text="if a:if a:!\n", offset=12, path="p", automatic=True)
    assert (await bench.scheduler.complete(accepted)).text == "if a:if a:!\n!"
    assert len(engine.begun) == 2


async def test_idle_server_has_no_timer(started: Started) -> None:
    """Some seconds after the last request, only the timer that unloads the model is left, and then none."""
    settings = replace(QUIET, warm_up_ms=300, prefetch=True, unload_minutes=30)
    bench = await started(GatedEngine(open_gate=True), settings)
    bench.scheduler.prepare(asking("a"))
    assert (await bench.scheduler.complete(asking("a"))).text == "a!"
    bench.clock.advance(10)
    await asyncio.sleep(0)  # the task of the prefetch begins
    await bench.worker_is_done()
    assert bench.clock.waiting == 1
    bench.clock.advance(30 * 60)
    assert bench.clock.waiting == 0


async def test_prefetch_can_be_turned_off(started: Started) -> None:
    """Without prefetch, only requests are computed."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine)
    await bench.scheduler.complete(asking("if a:", path="p"))
    bench.clock.advance(1e6)
    await asyncio.sleep(0)
    await bench.worker_is_done()
    assert engine.begun == ["if a:"]


@pytest.mark.parametrize("change", ["settings", "workspace"])
async def test_changes_clear_the_completion_cache(change: str, started: Started) -> None:
    """After a change of the settings or of the workspace, the same request is computed again."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine)
    await bench.scheduler.complete(asking("a"))
    changes = {
        "settings": lambda: bench.change(max_lines=3),
        "workspace": lambda: bench.scheduler.work_in(cast("WorkspaceRetrieval", object())),
    }
    changes[change]()
    await bench.scheduler.complete(asking("a"))
    assert engine.begun == ["a", "a"]


async def test_change_of_model_cancels_the_running_request(started: Started, tmp_path: Path) -> None:
    """The running request is cancelled, and until the new model is loaded there is no suggestion."""
    engine = GatedEngine()
    bench = await started(engine)
    running = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await engine.has_begun()
    bench.change(bundle=tmp_path)
    assert await reason_of(running) == "cancelled"
    assert (await bench.scheduler.complete(asking("a"))).reason == "idle"


async def type_keys(bench: Bench, texts: list[str], interval: float) -> list[Completion]:
    """Send an automatic request for each text, ``interval`` seconds apart, and return the answers."""
    tasks = []
    for text in texts:
        tasks.append(asyncio.create_task(bench.scheduler.complete(replace(asking(text), automatic=True))))
        await asyncio.sleep(0)  # it is on its way now
        bench.clock.advance(interval)
        await asyncio.sleep(0)
    bench.clock.advance(10)
    return [await task for task in tasks]


async def test_debounce_drops_superseded_requests(started: Started) -> None:
    """Once the typing speed is known, the engine gets only the last request of a burst of keys."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, replace(QUIET, debounce_ms=5000))
    await type_keys(bench, ["x" * length for length in range(1, 5)], 0.1)
    engine.begun.clear()
    reasons = [answer.reason for answer in await type_keys(bench, ["a", "ab", "abc"], 0.0)]
    assert reasons == ["superseded", "superseded", ""]
    assert engine.begun == ["abc"]


async def test_an_invoked_request_does_not_wait_for_the_debounce(started: Started) -> None:
    """The debounce delays automatic requests only."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, replace(QUIET, debounce_ms=5000))
    await type_keys(bench, ["x" * length for length in range(1, 5)], 0.1)
    assert (await bench.scheduler.complete(asking("a"))).text == "a!"


async def test_request_in_the_debounce_is_answered_after_close(started: Started) -> None:
    """A request that waits for the next key is answered, although the server closes meanwhile."""
    engine = GatedEngine(open_gate=True)
    bench = await started(engine, replace(QUIET, debounce_ms=5000))
    await type_keys(bench, ["x" * length for length in range(1, 5)], 0.1)
    waiting = asyncio.create_task(bench.scheduler.complete(replace(asking("a"), automatic=True)))
    await asyncio.sleep(0)  # it waits for the next key now
    bench.close()
    bench.clock.advance(10)
    assert await reason_of(waiting) == "closed"
