"""Every reason code can happen, and has a sentence that explains it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from midfill.common.cancel import CancelFlag
from midfill.common.errors import PolicyRefused, RemoteUnavailable
from midfill.common.reasons import Reason
from midfill.completion.engine import CompletionEngine
from midfill.completion.lifecycle import EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Request
from midfill.inference.onnx_model import ScriptedModel
from midfill.postprocess import DROPS
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.completion.gated_engine import Bench, GatedEngine, asking, reason_of
from unit.helpers import encode, loaded_model, manifest, split

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"

SUGGESTIONS: list[tuple[Reason, str, str, dict[str, Any], dict[str, Any]]] = [
    (Reason.NONE, "▮", "x = 1", {}, {}),
    (Reason.BLANK, "x = ▮", "  \n", {}, {}),
    (Reason.SUFFIX_REPEAT, "def f(x):\n▮\n    return x\n", "    return x", {}, {}),
    (Reason.ABOVE_REPEAT, "total = add(left, right)\n▮", "total = add(left, right)\n", {}, {}),
    (Reason.REPETITION, "x = ▮", "ab" * 40, {}, {}),
    (Reason.PLACEHOLDER, f'TOKEN = "{TOKEN}"\n▮', "print(<github-token>)", {}, {}),
    (Reason.TOO_SHORT, "▮", "):", {}, {"automatic": True}),
    (Reason.EMPTY_COMMENT, "▮", "# \n", {}, {"path": "a.py"}),
    (Reason.PATH, "▮", "# src/shop/tax.py\n", {}, {"path": "a.py"}),
    (Reason.SYNTAX, "def f():\n    ▮\n", "left right left right", {}, {"path": "a.py"}),
    (Reason.UNSURE, "a\n▮", "return left", {"min_confidence": 0.9}, {"automatic": True}),
    (Reason.IN_SECRET, f'TOKEN = "{TOKEN[:9]}▮{TOKEN[9:]}"\n', "1", {}, {}),
    (Reason.EXCLUDED, "x = ▮", "1", {}, {"path": "secrets.py"}),
    (Reason.DISABLED, "x = ▮", "1", {"enabled": False}, {"automatic": True}),
    (Reason.COMMENT, "# a ▮", "1", {"quiet_in_comments": True}, {"automatic": True, "path": "a.py"}),
    (Reason.STRING, 'x = "a ▮"', "1", {"quiet_in_strings": True}, {"automatic": True, "path": "a.py"}),
    (Reason.LANGUAGE, "x = ▮", "1", {"quiet_languages": ("sql",)}, {"automatic": True, "language": "sql"}),
    (Reason.FOLDER, "x = ▮", "1", {"quiet_folders": ("docs/",)}, {"automatic": True, "path": "/work/docs/a.py"}),
]


class Excluding:
    """A workspace that excludes one file."""

    def excludes(self, path: str) -> bool:
        return path == "secrets.py"

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return WorkspaceSnippets()

    def forget(self, path: str) -> None:
        """Nothing is remembered."""


@pytest.mark.parametrize(
    ("reason", "marked", "script", "settings", "request_"), SUGGESTIONS, ids=lambda value: str(value)[:20]
)
def test_reason_of_the_engine(
    reason: Reason, marked: str, script: str, settings: dict[str, Any], request_: dict[str, Any]
) -> None:
    """The engine gives each of these reasons for some text, settings and request."""
    text, offset = split(marked)
    model = ScriptedModel(encode(script), manifest().stop_tokens[0], manifest().vocabulary)
    chosen = replace(Settings(min_confidence=0.0, bundle=Path("unused"), deadline_ms=0), **settings)
    engine = CompletionEngine(loaded_model(model), LiveSettings(chosen), Excluding())
    done = engine.complete(Request(text=text, offset=offset, **request_), CancelFlag())
    assert (done.reason, bool(done.text)) == (reason, reason is Reason.NONE)


async def idle(bench: Bench) -> Reason:
    """Request a completion before the engine is loaded."""
    return (await bench.scheduler.complete(asking("a"))).reason


async def closed(bench: Bench) -> Reason:
    """Request a completion after the scheduler was closed."""
    bench.close()
    return (await bench.scheduler.complete(asking("a"))).reason


async def failed(bench: Bench) -> Reason:
    """Request a completion from an engine that fails."""
    await bench.start()
    engine = await bench.lifecycle.acquire()
    assert isinstance(engine, GatedEngine)
    engine.fault = ValueError()
    engine.gate.set()
    return (await bench.scheduler.complete(asking("a"))).reason


async def policy(bench: Bench) -> Reason:
    """Request a completion after the administrators' policy has refused the model."""

    def refuse(*_: object) -> GatedEngine:
        raise PolicyRefused("no")

    lifecycle = EngineLifecycle(bench.settings, refuse)
    with pytest.raises(PolicyRefused):
        await asyncio.wrap_future(lifecycle.start())
    reason = (await Scheduler(lifecycle, bench.settings).complete(asking("a"))).reason
    await asyncio.to_thread(lifecycle.close)
    return Reason(reason)


async def server(bench: Bench) -> Reason:
    """Request a completion while the server that has the model is away."""
    await bench.start()
    engine = await bench.lifecycle.acquire()
    assert isinstance(engine, GatedEngine)
    engine.fault = RemoteUnavailable("coder.example.com:443", "nothing listens there")
    engine.gate.set()
    return (await bench.scheduler.complete(asking("a"))).reason


async def superseded(bench: Bench) -> Reason:
    """Request a second completion before the first is answered."""
    await bench.start()
    first = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await asyncio.sleep(0)  # it is queued now
    second = asyncio.create_task(bench.scheduler.complete(asking("b")))
    reason = await reason_of(first)
    second.cancel()
    return Reason(reason)


async def cancelled(bench: Bench) -> Reason:
    """Close the scheduler while a request runs."""
    await bench.start()
    waiting = asyncio.create_task(bench.scheduler.complete(asking("a")))
    await asyncio.sleep(0)  # it is queued now
    await asyncio.to_thread(bench.close)
    return Reason(await reason_of(waiting))


OUTSIDE_THE_ENGINE = {
    Reason.IDLE: idle,
    Reason.CLOSED: closed,
    Reason.FAILED: failed,
    Reason.POLICY: policy,
    Reason.SERVER: server,
    Reason.SUPERSEDED: superseded,
    Reason.CANCELLED: cancelled,
}


OF_EDITS = {
    Reason.CUT_OFF,
    Reason.DISMISSED,
    Reason.GHOST_TEXT,
    Reason.NO_EDITS,
    Reason.REVERSAL,
    Reason.UNCHANGED,
    Reason.WHITE_SPACE,
}
"""The tests of ``next_edit`` and of ``session.edit_service`` make each of these happen."""


@pytest.mark.parametrize("reason", OUTSIDE_THE_ENGINE, ids=str)
async def test_reason_of_the_scheduler(reason: Reason) -> None:
    """The scheduler gives these reasons if there is no engine, or if its answer is not needed any more."""
    bench = Bench(GatedEngine())
    assert await OUTSIDE_THE_ENGINE[reason](bench) is reason
    await asyncio.to_thread(bench.close)


def test_every_reason_is_among_these() -> None:
    """There is no reason code that cannot happen."""
    assert {reason for reason, *_ in SUGGESTIONS} | set(OUTSIDE_THE_ENGINE) | OF_EDITS == set(Reason)


def test_every_reason_has_a_sentence() -> None:
    """Each sentence is different, short, and without a full stop, as `midfill why` prints it."""
    sentences = [reason.sentence for reason in Reason]
    assert len(set(sentences)) == len(Reason)
    assert not [sentence for sentence in sentences if sentence.endswith(".") or len(sentence) > 110]


def test_every_reason_is_in_the_page_for_troubleshooting() -> None:
    """With what a person can do about it."""
    page = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert [reason for reason in Reason if reason and f"`{reason}`" not in page] == []


def test_codes_of_the_filters_are_reasons() -> None:
    """Each code of a filter is the value of a reason."""
    assert {Reason(code) for code in DROPS} <= set(Reason)
