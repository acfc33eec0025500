"""A child process in the background, on each system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from midfill.common import background


@pytest.mark.parametrize(("platform", "flags"), [("linux", 0), ("darwin", 0), ("win32", 0x4000 | 0x0800_0000)], ids=str)
def test_only_windows_has_flags(platform: str, flags: int) -> None:
    """They are BELOW_NORMAL_PRIORITY_CLASS and CREATE_NO_WINDOW; other systems refuse any."""
    assert background.creation_flags(platform) == flags


@pytest.mark.skipif(sys.platform == "win32", reason="the parent sets the priority there")
def test_child_lowers_its_priority_and_leaves_ctrl_c_to_its_parent() -> None:
    """It goes on after Ctrl-C, and ends by its input."""
    program = (
        "import os, signal; from midfill.common import background; before = os.nice(0); background.enter();"
        " signal.raise_signal(signal.SIGINT); print(os.nice(0) - before)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("10\n", "")


@pytest.mark.skipif(not os.path.exists("/proc/self/autogroup"), reason="the kernel does not group sessions")
@pytest.mark.parametrize(("own", "niceness"), [(True, "nice 10"), (False, "nice 0")], ids=["own", "its parent's"])
def test_session_of_its_own_has_low_priority_too(own: bool, niceness: str) -> None:
    """Where the kernel compares sessions, that of one process alone counts. A parent's is left as it is."""
    program = "from midfill.common import background; background.enter(); print(open('/proc/self/autogroup').read())"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], start_new_session={own})"
    command = [sys.executable, "-c", parent.replace("{own}", str(own)), program]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    assert niceness in ended.stdout


def test_system_without_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has none."""
    monkeypatch.delattr("os.nice", raising=False)
    before = signal.getsignal(signal.SIGINT)
    background.enter()
    ignored = signal.signal(signal.SIGINT, before)
    assert ignored == signal.SIG_IGN
