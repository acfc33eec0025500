"""How much the engine reads, from one session to the next, on a machine whose time the test decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.completion.engine import CompletionEngine
from midfill.completion.types import Completion, Request
from midfill.settings.live import LiveSettings
from midfill.settings.schema import MEASURED_CONTEXT, Settings
from unit.helpers import loaded_model
from unit.processor_clock import ProcessorClock, TimedModel

SETTINGS = Settings(bundle=Path("unused"), min_confidence=0.0, deadline_ms=0)
FAST, SLOW = 600.0, 100.0
"""Tokens per second, with which 1,536 and 768 tokens are read."""
FULL = "at most 1,024 tokens of the document and 512 of other files: "


def lines(path: str) -> str:
    """Return a document that fills each prompt, and that has nothing in common with others."""
    return "".join(f"{path} {number} = compute({number})\n" for number in range(1200))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder of the test's own instead of the user's."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


class Editing:
    """One session with the engine: somebody types in documents."""

    def __init__(self, clock: ProcessorClock, settings: Settings = SETTINGS) -> None:
        self.model = TimedModel(clock)
        loaded = loaded_model(self.model, context_length=32_768)
        self.engine = CompletionEngine(loaded, LiveSettings(settings), clock=clock)

    def type(self, count: int, path: str = "a.py") -> list[Completion]:
        """Request a suggestion after each of ``count`` keystrokes at the end of a long document."""
        texts = [lines(path) + "value = compute(1"[:typed] for typed in range(count)]
        requests = [Request(text=text, offset=len(text), path=path) for text in texts]
        return [self.engine.complete(request, CancelFlag()) for request in requests]

    def open(self, *paths: str) -> list[Completion]:
        """Request a suggestion in each of some documents."""
        return [self.type(1, path)[0] for path in paths]


def documents(count: int) -> list[str]:
    """Return the paths of documents."""
    return [f"{number}.py" for number in range(count)]


@pytest.mark.parametrize("share", [1.0, 0.5], ids=["slow by itself", "busy"])
def test_session_after_a_slow_one_reads_everything_soon(share: float) -> None:
    """Within ten keystrokes in one document, the next session reads as much as one that follows a fast session."""
    Editing(ProcessorClock(SLOW, share)).open(*documents(100))
    session = Editing(ProcessorClock(FAST))
    typed = session.type(10)
    assert typed[0].budget.startswith("at most 512 tokens of the document and 256 of other files: a suggestion needs")
    assert typed[-1].budget.startswith(f"{FULL}this machine computes 600 tokens a second")
    assert typed[-1].prompt_tokens > typed[0].prompt_tokens


def test_very_long_prompts_come_back_soon() -> None:
    """A fast machine that was slow reads its longest prompts again within ten keystrokes."""
    clock = ProcessorClock(10 * FAST)
    session = Editing(clock)
    session.open("first.py", "second.py")
    clock.tokens_per_second = SLOW
    assert session.open(*documents(10))[-1].budget.startswith("at most 512 tokens")
    assert Editing(ProcessorClock(10 * FAST)).type(10)[-1].budget.startswith("at most 7,680 tokens")


def test_busy_hour_changes_nothing() -> None:
    """While somebody compiles, as much is read as before, and in the next session, too."""
    clock = ProcessorClock(FAST)
    session = Editing(clock)
    session.open("first.py")
    clock.share = 0.3
    busy = session.open(*documents(200))
    after = Editing(ProcessorClock(FAST)).open("first.py")
    assert {done.budget for done in (*busy, *after)} == {busy[0].budget}
    assert busy[0].budget.startswith(FULL)


def test_throttled_laptop_reads_less_of_new_documents() -> None:
    """A machine that is slow with the processor to itself is slow, until it is fast again."""
    clock = ProcessorClock(FAST)
    session = Editing(clock)
    session.open("first.py")
    clock.tokens_per_second = SLOW
    session.open(*documents(8))
    assert not session.open("new.py")[0].budget.startswith(FULL)
    clock.tokens_per_second = FAST
    assert session.open("newer.py", "newest.py")[1].budget.startswith(FULL)


def test_suspended_in_the_middle_of_a_prompt() -> None:
    """A night with the lid closed is no reading."""
    session = Editing(ProcessorClock(FAST))
    session.open("first.py")
    session.model.suspended = 30_000.0
    assert {done.budget for done in session.open("second.py", "third.py")} == {session.open("fourth.py")[0].budget}


def test_computed_prompt_serves_the_next_keystroke() -> None:
    """When the length changes while somebody types, hardly more than one prompt of each length is computed."""
    Editing(ProcessorClock(SLOW)).open(*documents(8))
    session = Editing(ProcessorClock(FAST))
    typed = session.type(15)
    computed = sum(done.prompt_tokens - done.reused_tokens for done in typed)
    assert computed < typed[0].prompt_tokens + typed[-1].prompt_tokens + 100


def test_warm_up_is_a_reading() -> None:
    """The prompt of a document that was opened is mostly computed ahead, and sometimes interrupted."""
    session, flag = Editing(ProcessorClock(SLOW)), CancelFlag()
    session.engine.warm_up(Request(text=lines("a.py"), offset=10_000, path="a.py"), flag)
    assert "this machine computes 100 tokens a second" in session.open("b.py")[0].budget


def test_interrupted_warm_up_is_a_reading() -> None:
    """What was computed until a keystroke shows the speed."""
    session, flag = Editing(ProcessorClock(SLOW)), CancelFlag()
    flag_after(session, flag, steps=3)
    with pytest.raises(Cancelled):
        session.engine.warm_up(Request(text=lines("a.py"), offset=10_000, path="a.py"), flag)
    assert "this machine computes 100 tokens a second" in session.open("b.py")[0].budget


def flag_after(session: Editing, flag: CancelFlag, steps: int) -> None:
    """Set ``flag`` when the model has made some steps."""
    made = session.model.steps
    session.model.on_step = lambda: flag.set("typing") if len(made) == steps else None


@pytest.mark.parametrize("context", [0, MEASURED_CONTEXT])
def test_same_prompts_after_a_slow_and_a_fast_session(context: int) -> None:
    """After ten requests at most, an evaluation has the same prompts, whatever the session before was like."""
    settings = replace(SETTINGS, context_tokens=context)
    prompts = []
    for speed in (SLOW, FAST):
        Editing(ProcessorClock(speed)).open(*documents(30))
        session = Editing(ProcessorClock(FAST), settings)
        session.open(*documents(10))
        prompts.append([done.parts for done in session.open(*(f"later_{path}" for path in documents(5)))])
    assert prompts[0] == prompts[1]
