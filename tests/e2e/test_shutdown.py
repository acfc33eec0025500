"""How the server ends: in good order, without it, and when its client is killed at the worst moment."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, SCRIPTED, URI, Json, RawClient
from waiting import wait_until

REQUEST_CANCELLED = -32800
"""The error of a request whose work was cut short; work that went on to its end would have a result."""


@pytest.mark.parametrize(("farewell", "code"), [(["shutdown"], 0), ([], 1)], ids=["after shutdown", "without shutdown"])
def test_exit_code(tmp_path: Path, farewell: list[str], code: int) -> None:
    """`exit` after `shutdown` is 0, without it 1."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize()
        assert [client.request(1, method, None)["result"] for method in farewell] == [None] * len(farewell)
        client.notify("exit", None)
        assert client.wait() == code
        assert client.stderr() == ""


def test_command_line_keeps_the_exit_code(tmp_path: Path) -> None:
    """`midfill serve` ends with the server's exit code, and says nothing of its own."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        client.request(2, "shutdown", None)
        client.notify("exit", None)
        assert client.wait() == 0
        assert client.stderr() == ""


def test_client_gone_before_it_said_anything(tmp_path: Path) -> None:
    """An input that ends at once ends the server, which was never asked to shut down."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.close_stdin()
        assert client.wait() == 1


def test_interrupt_ends_it_though_nothing_arrives(tmp_path: Path) -> None:
    """Ctrl-C works while the server waits for its input."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize()
        client.process.send_signal(signal.SIGINT)
        assert client.wait() != 0


@pytest.mark.bundle
def test_client_killed_while_the_model_loads(bundle: Path, tmp_path: Path) -> None:
    """The server does not outlive its client, not even in the middle of loading."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize()
        client.close_stdin()
        assert client.wait() == 1
        assert not [message for message in client.notifications if message["params"].get("value") == {"kind": "end"}]


@pytest.mark.bundle
def test_client_killed_while_the_model_completes(bundle: Path, tmp_path: Path) -> None:
    """The model stops at its next step, and the server ends."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize(options={"maxTokens": 1024, "maxLines": 1000, "deadlineMs": 0})
        client.wait_until_loaded()
        client.open("NUMBERS = [\n")
        client.ask(1, 1, 0)
        client.request(2, "workspace/executeCommand", {"command": "midfill.why", "arguments": [1]})
        client.close_stdin()  # when the second request is answered, the model works on the first
        assert client.wait() == 1
        assert client.answer_to(1)["error"]["code"] == REQUEST_CANCELLED


@pytest.mark.bundle
def test_client_killed_while_the_model_decodes(bundle: Path, tmp_path: Path) -> None:
    """The decoder stops at its next step, and the server ends."""
    with RawClient(MIDFILL, tmp_path / "stderr") as client:
        client.initialize({"experimental": {"midfill": {"actionText": True}}, "window": {"workDoneProgress": True}})
        client.wait_until_loaded()
        client.open("def mean(values):\n    return sum(values) / len(values)\n")
        asked = {"action": "explain", "uri": URI}
        client.send(id=1, method="workspace/executeCommand", params={"command": "midfill.do", "arguments": [asked]})
        wait_until(lambda: any(piece["text"] for piece in pieces(client)), "the first piece of the explanation")
        client.close_stdin()
        assert client.wait() == 1
        assert client.answer_to(1)["error"]["code"] == REQUEST_CANCELLED


def pieces(client: RawClient) -> list[Json]:
    """Return the pieces of text that the server has streamed."""
    return [n["params"] for n in list(client.notifications) if n["method"] == "midfill/actionText"]
