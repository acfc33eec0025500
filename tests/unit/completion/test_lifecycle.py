"""The engine's life: loaded, unloaded when idle, loaded again for other settings, closed."""

from __future__ import annotations

import asyncio
import threading
import weakref
from pathlib import Path
from typing import cast

import pytest

from midfill.common.errors import BundleNotFound, ModelError
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.lifecycle import EngineLifecycle
from midfill.inference.loaded_model import OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.clock import ManualClock
from unit.completion.gated_engine import PATIENCE, QUIET, Bench, GatedEngine


class Panic(BaseException):
    """What a panic in a Rust library is in Python: no Exception."""


@pytest.mark.parametrize("fault", [BundleNotFound("none"), ValueError("odd"), Panic("at line 1")], ids=repr)
async def test_failure_to_load_is_remembered(fault: BaseException) -> None:
    """Whatever it was, the future raises it, and the state says so."""

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        raise fault

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    assert lifecycle.start().exception(PATIENCE) is fault
    assert (lifecycle.state, lifecycle.error) == ("failed", fault)
    lifecycle.close()


@pytest.mark.parametrize(
    ("fault", "raised"), [(BundleNotFound("none"), BundleNotFound), (ValueError("odd"), ModelError)], ids=repr
)
async def test_acquiring_an_engine_that_failed_to_load_says_why(fault: Exception, raised: type[Exception]) -> None:
    """Midfill's own errors are for people; others become one of these."""

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        raise fault

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    lifecycle.start()
    with pytest.raises(raised):
        await lifecycle.acquire()
    lifecycle.close()


async def test_acquired_engine_is_the_one_that_was_loaded() -> None:
    """Whoever acquires it waits until it is loaded."""
    engine = GatedEngine()
    bench = Bench(engine)
    bench.lifecycle.start()
    assert await bench.lifecycle.acquire() is engine
    bench.close()


async def test_the_bundle_of_the_settings_is_loaded(tmp_path: Path) -> None:
    """The error of a missing bundle names the folder in the settings."""
    lifecycle = EngineLifecycle(LiveSettings(Settings(bundle=tmp_path / "nowhere")))
    with pytest.raises(BundleNotFound, match=r"nowhere"):
        await asyncio.wrap_future(lifecycle.start())
    lifecycle.close()


async def test_progress_of_loading_is_reported() -> None:
    """As the loader reports it."""
    reports: list[tuple[str, float]] = []

    def load(_settings: LiveSettings, on_loading: OnLoading) -> GatedEngine:
        on_loading("loading", 0.5)
        return GatedEngine()

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    await asyncio.wrap_future(lifecycle.start(lambda message, fraction: reports.append((message, fraction))))
    assert reports == [("loading", 0.5)]
    lifecycle.close()


async def test_close_waits_for_a_load() -> None:
    """What it brings is not used any more."""
    loading, may_load = threading.Event(), threading.Event()

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        loading.set()
        assert may_load.wait(PATIENCE)
        return GatedEngine()

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    loaded = lifecycle.start()
    assert loading.wait(PATIENCE)
    closing = asyncio.create_task(asyncio.to_thread(lifecycle.close))
    assert not loaded.done()
    may_load.set()
    await closing
    assert loaded.done()
    assert lifecycle.state == "closed"


def test_close_without_ever_loading() -> None:
    """A client that leaves at once leaves nothing behind, and closing again does no harm."""
    lifecycle = EngineLifecycle(LiveSettings(QUIET), lambda *_: GatedEngine())
    lifecycle.close()
    lifecycle.close()
    assert lifecycle.state == "closed"


async def test_idle_engine_is_unloaded_and_comes_back() -> None:
    """Nobody holds it any more; started again, the lifecycle loads another one."""
    engines: list[weakref.ref[GatedEngine]] = []

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        engine = GatedEngine(open_gate=True)
        engines.append(weakref.ref(engine))
        return engine

    clock = ManualClock()
    lifecycle = EngineLifecycle(LiveSettings(Settings(unload_minutes=1)), load, clock)
    await asyncio.wrap_future(lifecycle.start())
    clock.advance(59)
    assert lifecycle.state == "ready"
    clock.advance(1)
    assert lifecycle.state == "idle"
    await asyncio.wrap_future(lifecycle.run(lambda _: None))
    assert engines[0]() is None
    await asyncio.wrap_future(lifecycle.start())
    assert (lifecycle.state, len(engines)) == ("ready", 2)
    lifecycle.close()


async def test_each_sign_of_life_keeps_the_engine() -> None:
    """Idle time counts from the latest one, and a load that takes longer than it is not given up."""
    may_load = threading.Event()

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        assert may_load.wait(PATIENCE)
        return GatedEngine()

    clock = ManualClock()
    lifecycle = EngineLifecycle(LiveSettings(Settings(unload_minutes=1)), load, clock)
    loaded = lifecycle.start()
    clock.advance(61)
    assert lifecycle.state == "loading"
    may_load.set()
    await asyncio.wrap_future(loaded)
    clock.advance(50)
    lifecycle.keep_alive()
    clock.advance(50)
    assert lifecycle.state == "ready"
    clock.advance(10)
    assert lifecycle.state == "idle"
    lifecycle.keep_alive()
    assert clock.waiting == 0
    lifecycle.close()


async def test_engine_stays_when_unloading_is_off() -> None:
    """Zero is never."""
    bench = await Bench(GatedEngine()).start()
    bench.clock.advance(1e6)
    assert bench.lifecycle.state == "ready"
    bench.close()


@pytest.mark.parametrize(("minutes", "state"), [(5, "ready"), (1, "idle")])
async def test_a_changed_idle_time_counts_from_the_next_sign_of_life(minutes: int, state: str) -> None:
    """The setting reaches the timer without a restart."""
    bench = await Bench(GatedEngine(), Settings(unload_minutes=3)).start()
    bench.change(unload_minutes=minutes)
    bench.lifecycle.keep_alive()
    bench.clock.advance(3 * 60)
    assert bench.lifecycle.state == state
    bench.close()


async def test_engine_asks_the_workspace_of_now() -> None:
    """Whether it was loaded before the workspace was opened or afterwards."""
    engine = GatedEngine()
    bench = Bench(engine)
    first, second = (cast("WorkspaceRetrieval", object()) for _ in range(2))
    bench.lifecycle.work_in(first)
    await bench.start()
    assert engine.workspace is first
    bench.lifecycle.work_in(second)
    await bench.worker_is_done()
    assert engine.workspace is second
    bench.close()


async def test_settings_that_need_another_model_unload_this_one(tmp_path: Path) -> None:
    """The next start loads with the settings of then; other settings leave the engine alone."""
    bundles: list[Path] = []

    def load(settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        bundles.append(settings.now.bundle)
        return GatedEngine()

    live = LiveSettings(Settings(bundle=tmp_path / "a", unload_minutes=0))
    lifecycle = EngineLifecycle(live, load)
    await asyncio.wrap_future(lifecycle.start())
    live.change(Settings(bundle=tmp_path / "a", unload_minutes=0, max_lines=3))
    assert lifecycle.state == "ready"
    live.change(Settings(bundle=tmp_path / "b", unload_minutes=0))
    assert lifecycle.state == "idle"
    await asyncio.wrap_future(lifecycle.start())
    assert (lifecycle.state, bundles) == ("ready", [tmp_path / "a", tmp_path / "b"])
    lifecycle.close()


async def test_a_load_that_is_overtaken_by_other_settings_is_dropped(tmp_path: Path) -> None:
    """What it brings is not used, and the state stays what the later start makes it."""
    may_load = threading.Event()

    def load(settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        assert may_load.wait(PATIENCE)
        return engines[settings.now.bundle]

    engines = {tmp_path / name: GatedEngine() for name in "ab"}
    live = LiveSettings(Settings(bundle=tmp_path / "a", unload_minutes=0))
    lifecycle = EngineLifecycle(live, load)
    first = lifecycle.start()
    live.change(Settings(bundle=tmp_path / "b", unload_minutes=0))
    assert lifecycle.state == "idle"
    second = lifecycle.start()
    may_load.set()
    await asyncio.wrap_future(second)
    assert first.done()
    assert await lifecycle.acquire() is engines[tmp_path / "b"]
    lifecycle.close()


async def test_tokens_are_spelt_while_there_is_an_engine() -> None:
    """Without one, a note stands in their place."""
    bench = Bench(GatedEngine())
    assert bench.lifecycle.spell([1, 2]) == "(the model is not loaded)"
    await bench.start()
    assert bench.lifecycle.spell([1, 2]) == "2 tokens"
    bench.close()
