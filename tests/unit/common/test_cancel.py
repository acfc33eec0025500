"""The flag that stops work in another thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from midfill.common.cancel import CancelFlag, Cancelled


def test_flag_is_not_set_at_first() -> None:
    """Without a call of `set`, the work continues."""
    flag = CancelFlag()
    flag.check()
    assert not flag.is_set


def test_set_flag_stops_work_with_its_reason() -> None:
    """The error has the reason that was given."""
    flag = CancelFlag()
    flag.set("superseded")
    assert flag.is_set
    with pytest.raises(Cancelled) as stopped:
        flag.check()
    assert stopped.value.reason == "superseded"


def test_first_reason_stays() -> None:
    """A second reason does not replace the first one."""
    flag = CancelFlag()
    flag.set("superseded")
    flag.set("cancelled")
    with pytest.raises(Cancelled, match="superseded"):
        flag.check()


def test_setting_interrupts_a_running_block() -> None:
    """The interrupt function is called while the block runs."""
    flag = CancelFlag()
    told = threading.Event()
    with flag.interrupting(told.set):
        threading.Thread(target=flag.set, args=("cancelled",)).start()
        assert told.wait(30)
    assert flag.is_set


def test_flag_set_before_a_block_keeps_it_from_being_entered() -> None:
    """A set flag raises before the block begins."""
    flag = CancelFlag()
    flag.set("cancelled")
    entered = []
    with pytest.raises(Cancelled), flag.interrupting(lambda: entered.append("interrupted")):
        entered.append("block")
    assert entered == []


def end() -> None:
    """End a block normally."""


def fail() -> None:
    """End a block by an error."""
    raise RuntimeError


@pytest.mark.parametrize("block", [end, fail])
def test_flag_set_after_a_block_interrupts_nothing(block: Callable[[], None]) -> None:
    """After the block has ended, even by an error, its interrupt function is not called."""
    flag = CancelFlag()
    interrupted = []
    with contextlib.suppress(RuntimeError), flag.interrupting(lambda: interrupted.append(True)):
        block()
    flag.set("cancelled")
    assert interrupted == []


def test_one_flag_serves_several_blocks() -> None:
    """Only the block that is running is interrupted."""
    flag = CancelFlag()
    interrupted: list[int] = []
    with flag.interrupting(lambda: interrupted.append(1)):
        pass
    with flag.interrupting(lambda: interrupted.append(2)):
        flag.set("cancelled")
    assert interrupted == [2]


def test_urgent_flag_is_set_only_by_an_urgent_stop() -> None:
    """A step that listens to the urgent flag continues after a stop that is not urgent."""
    flag = CancelFlag(urgent=CancelFlag())
    flag.set("superseded", urgent=False)
    assert flag.is_set
    assert not flag.urgent.is_set
    flag.set("closed")
    with pytest.raises(Cancelled, match="closed"):
        flag.urgent.check()


def test_flag_without_a_second_one_is_always_urgent() -> None:
    """Without a second flag, every stop counts as urgent."""
    flag = CancelFlag()
    flag.set("cancelled", urgent=False)
    assert flag.urgent.is_set
