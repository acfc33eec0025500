"""The flag that stops work in another thread."""

from __future__ import annotations

import threading

import pytest

from midfill.common.cancel import CancelFlag, Cancelled


def test_flag_is_not_set_at_first() -> None:
    """Work that nobody stops goes on."""
    flag = CancelFlag()
    flag.check()
    assert not flag.is_set


def test_set_flag_stops_work_with_its_reason() -> None:
    """The reason is what the user will see."""
    flag = CancelFlag()
    flag.set("superseded")
    assert flag.is_set
    with pytest.raises(Cancelled) as stopped:
        flag.check()
    assert stopped.value.reason == "superseded"


def test_first_reason_stays() -> None:
    """A request that was superseded and is then cancelled was superseded."""
    flag = CancelFlag()
    flag.set("superseded")
    flag.set("cancelled")
    with pytest.raises(Cancelled, match="superseded"):
        flag.check()


def test_setting_interrupts_what_runs() -> None:
    """A call in progress, which cannot look at the flag, is told."""
    flag = CancelFlag()
    told = threading.Event()
    with flag.interrupting(told.set):
        threading.Thread(target=flag.set, args=("cancelled",)).start()
        assert told.wait(30)
    assert flag.is_set


def test_flag_set_before_a_block_keeps_it_from_being_entered() -> None:
    """Nothing is begun only to be interrupted."""
    flag = CancelFlag()
    flag.set("cancelled")
    entered = []
    with pytest.raises(Cancelled), flag.interrupting(lambda: entered.append("interrupted")):
        entered.append("block")
    assert entered == []


@pytest.mark.parametrize("fails", [False, True], ids=["block ended", "block failed"])
def test_flag_set_after_a_block_interrupts_nothing(fails: bool) -> None:
    """What has ended, well or not, must not be interrupted: its successor might be."""
    flag = CancelFlag()
    interrupted = []
    try:
        with flag.interrupting(lambda: interrupted.append(True)):
            if fails:
                raise RuntimeError
    except RuntimeError:
        pass
    flag.set("cancelled")
    assert interrupted == []


def test_one_flag_serves_block_after_block() -> None:
    """Each step of a run enters a block of its own; the one that runs is interrupted."""
    flag = CancelFlag()
    interrupted: list[int] = []
    with flag.interrupting(lambda: interrupted.append(1)):
        pass
    with flag.interrupting(lambda: interrupted.append(2)):
        flag.set("cancelled")
    assert interrupted == [2]


def test_step_worth_finishing_is_interrupted_only_when_it_is_urgent() -> None:
    """It listens to a flag of its own."""
    flag = CancelFlag(urgent=CancelFlag())
    flag.set("superseded", urgent=False)
    assert flag.is_set
    assert not flag.urgent.is_set
    flag.set("closed")
    with pytest.raises(Cancelled, match="closed"):
        flag.urgent.check()


def test_flag_without_another_is_always_urgent() -> None:
    """Whoever does not tell the two apart wants to stop."""
    flag = CancelFlag()
    flag.set("cancelled", urgent=False)
    assert flag.urgent.is_set
