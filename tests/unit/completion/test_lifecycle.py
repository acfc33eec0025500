"""The engine's lifecycle: it is loaded, unloaded when idle, loaded again for other settings, and closed."""

from __future__ import annotations

import asyncio
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from midfill.common import memory
from midfill.common.errors import BundleNotFound, ModelError
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.lifecycle import EngineLifecycle
from midfill.inference.token_generator import OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.clock import ManualClock
from unit.completion.gated_engine import PATIENCE, QUIET, Bench, GatedEngine
from unit.helpers import chain_graph, write_bundle


class Panic(BaseException):
    """An error like a panic of a Rust library, which is not an Exception in Python."""


@pytest.mark.parametrize("fault", [BundleNotFound("none"), ValueError("odd"), Panic("at line 1")], ids=repr)
async def test_failure_to_load_is_remembered(fault: BaseException) -> None:
    """The future raises the error, whatever its type, and the lifecycle keeps it."""

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        raise fault

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    assert lifecycle.start().exception(PATIENCE) is fault
    assert (lifecycle.state, lifecycle.error) == ("failed", fault)
    lifecycle.close()


async def test_bundle_that_appears_after_a_failure_is_loaded(tmp_path: Path) -> None:
    """As after `midfill pull`, while the editor stays open; nothing is tried while everything is as it was."""
    lifecycle = EngineLifecycle(LiveSettings(replace(QUIET, bundle=tmp_path / "bundle")))
    assert isinstance(lifecycle.start().exception(PATIENCE), BundleNotFound)
    assert lifecycle.state == "failed"
    write_bundle(tmp_path / "bundle")
    assert lifecycle.state == "idle"
    assert isinstance(lifecycle.start().exception(PATIENCE), ModelError)
    assert lifecycle.state == "failed"
    write_bundle(tmp_path / "bundle", graph=chain_graph("pass"))
    assert lifecycle.state == "idle"
    assert lifecycle.start().exception(PATIENCE) is None
    assert lifecycle.state == "ready"
    lifecycle.close()


@pytest.mark.parametrize(
    ("fault", "raised"), [(BundleNotFound("none"), BundleNotFound), (ValueError("odd"), ModelError)], ids=repr
)
async def test_acquiring_an_engine_that_failed_to_load_says_why(fault: Exception, raised: type[Exception]) -> None:
    """An error of Midfill is raised as it is, and another one as a ModelError."""

    def load(_settings: LiveSettings, _on_loading: OnLoading) -> GatedEngine:
        raise fault

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    lifecycle.start()
    with pytest.raises(raised):
        await lifecycle.acquire()
    lifecycle.close()


async def test_acquired_engine_is_the_one_that_was_loaded() -> None:
    """A caller that acquires the engine waits until it is loaded."""
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
    """The listener gets each report of the loader."""
    reports: list[tuple[str, float]] = []

    def load(_settings: LiveSettings, on_loading: OnLoading) -> GatedEngine:
        on_loading("loading", 0.5)
        return GatedEngine()

    lifecycle = EngineLifecycle(LiveSettings(QUIET), load)
    await asyncio.wrap_future(lifecycle.start(lambda message, fraction: reports.append((message, fraction))))
    assert reports == [("loading", 0.5)]
    lifecycle.close()


async def test_close_waits_for_a_load() -> None:
    """Closing waits for a load that runs, and does not use its engine."""
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
    """A lifecycle that never loaded can be closed, even twice."""
    lifecycle = EngineLifecycle(LiveSettings(QUIET), lambda *_: GatedEngine())
    lifecycle.close()
    lifecycle.close()
    assert lifecycle.state == "closed"


async def test_idle_engine_is_unloaded_and_comes_back() -> None:
    """The idle engine is released, and the next start loads a new one."""
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


async def test_each_activity_keeps_the_engine() -> None:
    """Idle time counts from the latest activity, and a load that takes longer is not interrupted."""
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


async def test_unloading_can_be_turned_off() -> None:
    """With a setting of 0, the engine is never unloaded."""
    bench = await Bench(GatedEngine()).start()
    bench.clock.advance(1e6)
    assert bench.lifecycle.state == "ready"
    bench.close()


@pytest.mark.parametrize(("minutes", "state"), [(5, "ready"), (1, "idle")])
async def test_a_changed_idle_time_counts_from_the_next_activity(minutes: int, state: str) -> None:
    """The setting can change without a restart."""
    bench = await Bench(GatedEngine(), Settings(unload_minutes=3)).start()
    bench.change(unload_minutes=minutes)
    bench.lifecycle.keep_alive()
    bench.clock.advance(3 * 60)
    assert bench.lifecycle.state == state
    bench.close()


async def test_engine_uses_the_current_workspace() -> None:
    """The engine gets the workspace, whether that was opened before the engine was loaded or afterwards."""
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


async def test_memory_is_given_back_when_the_workspace_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read in the workspace before is freed in pieces, which the C library would keep; no move, no pause."""
    given_back: list[object] = []
    bench = Bench(engine := GatedEngine())
    monkeypatch.setattr(memory, "give_back", lambda: given_back.append(engine.workspace))
    first, second = (cast("WorkspaceRetrieval", object()) for _ in range(2))
    bench.lifecycle.work_in(first)
    await bench.start()
    bench.lifecycle.work_in(first)  # an ignore file has changed
    bench.lifecycle.work_in(second)
    await bench.worker_is_done()
    assert given_back == [second]
    bench.close()


async def test_settings_that_need_another_model_unload_this_one(tmp_path: Path) -> None:
    """The next start loads with the new settings; other changes do not unload the engine."""
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


async def test_a_load_that_is_superseded_by_other_settings_is_dropped(tmp_path: Path) -> None:
    """The engine of the older load is not used, and does not change the state."""
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
    """Without an engine, a note replaces the text."""
    bench = Bench(GatedEngine())
    assert bench.lifecycle.spell([1, 2]) == "(the model is not loaded)"
    await bench.start()
    assert bench.lifecycle.spell([1, 2]) == "2 tokens"
    bench.close()
