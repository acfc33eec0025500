"""A shared process before it has any client: it needs its key, and somebody who reads that it listens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from midfill.common.child_programs import python_module
from midfill.sharing import CAN_SHARE
from midfill.sharing.address import Address

pytestmark = [
    pytest.mark.skipif(not CAN_SHARE, reason="servers share no process on this system yet"),
    pytest.mark.timeout(120),
]
SETUP = b'{"folders": [], "patterns": []}'


@pytest.fixture
def address(short_path: Path) -> Address:
    """Return an address in an empty folder."""
    return Address(short_path, "0f3a")


def start(address: Address) -> subprocess.Popen[bytes]:
    """Start a process that listens there."""
    command = python_module("midfill.retrieval.shared_worker", str(address.folder / address.name))
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_process_without_a_key_ends(address: Address) -> None:
    """It would let anybody in."""
    said, _ = start(address).communicate(SETUP)
    assert said == b""
    assert list(address.folder.iterdir()) == []


def test_process_whose_server_was_killed_ends(address: Address) -> None:
    """Nobody reads that it listens. It takes its files with it."""
    address.renew()
    process = start(address)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    with process.stdin:
        process.stdin.write(SETUP)
    assert process.wait() == 0
    assert list(address.folder.iterdir()) == []
