"""How the server ends: in good order, without it, and when its client is killed at the worst moment."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from e2e.raw_client import MIDFILL, PATIENCE, SCRIPTED, URI, Json, RawClient, ghost_text_at
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


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
@pytest.mark.skipif(sys.platform == "win32", reason="its shell closes no stream")
def test_no_client_at_all(closed: str) -> None:
    """A closed standard stream is one line."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *MIDFILL]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)
    assert ended.stderr.startswith(b"midfill: 'serve' needs an editor")


def test_client_gone_before_it_said_anything(tmp_path: Path) -> None:
    """An input that ends at once ends the server, which was never asked to shut down."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.close_stdin()
        assert client.wait() == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("process_id", [0, -1, 1 << 40])
def test_process_id_that_none_has(tmp_path: Path, process_id: int) -> None:
    """The server says so in its log, and serves its client."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize(process=process_id)
        client.open("x = 1\n")
        assert "result" in client.request(1, "textDocument/inlineCompletion", ghost_text_at(0, 0))
        wait_until(lambda: f"processId {process_id} is no process" in client.stderr(), "the line about it")


@pytest.mark.timeout(60)
def test_editor_is_killed_and_its_input_stays_open(tmp_path: Path) -> None:
    """The server ends with the process that `initialize` names, though nobody has reaped that process."""
    with editor() as process, RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize(process=process.pid)
        process.kill()
        assert client.wait() == 1


@pytest.mark.timeout(60)
def test_editor_ended_before_it_was_named(tmp_path: Path) -> None:
    """The server ends."""
    with editor() as process, RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        process.kill()
        process.wait()
        client.initialize(process=process.pid)
        assert client.wait() == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("farewell", "code"), [(["shutdown"], 0), ([], 1)], ids=["after shutdown", "without shutdown"])
def test_exit_code_of_a_server_that_is_stuck(tmp_path: Path, farewell: list[str], code: int) -> None:
    """It ends with the same code, though a worker never ends."""
    with RawClient([*SCRIPTED, "stick", "WARNING"], tmp_path / "stderr") as client:
        client.initialize()
        assert [client.request(1, method, None)["result"] for method in farewell] == [None] * len(farewell)
        client.notify("exit", None)
        assert client.wait() == code
        assert client.stderr() == "stick\n"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("farewell", "code"), [(["shutdown"], 0), ([], 1)], ids=["after shutdown", "without shutdown"])
def test_exit_code_while_a_thread_works(tmp_path: Path, farewell: list[str], code: int) -> None:
    """It ends with the same code, though the work for a request never ends."""
    with RawClient([*SCRIPTED, "linger", "CRITICAL"], tmp_path / "stderr") as client:
        client.initialize()
        client.open("x = 1\n")
        client.ask(2, 0, 0)
        wait_until(lambda: "linger" in client.stderr(), "the work to begin")
        assert [client.request(1, method, None)["result"] for method in farewell] == [None] * len(farewell)
        client.notify("exit", None)
        assert client.wait() == code


@pytest.mark.timeout(60)
@pytest.mark.parametrize("behaviour", ["stick", "block"])
def test_input_of_a_server_that_is_stuck_ends(tmp_path: Path, behaviour: str) -> None:
    """It ends, though a worker or a handler never does."""
    with RawClient([*SCRIPTED, behaviour, "ERROR"], tmp_path / "stderr") as client:
        client.initialize()
        client.open("x = 1\n")
        client.ask(1, 0, 0)
        wait_until(lambda: behaviour != "block" or "block" in client.stderr(), "the handler to begin")
        client.close_stdin()
        assert client.wait() == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("behaviour", ["stick", "block"])
def test_editor_of_a_server_that_is_stuck_is_killed(tmp_path: Path, behaviour: str) -> None:
    """The server ends, though a worker or a handler never does, and though its input stays open."""
    with editor() as process, RawClient([*SCRIPTED, behaviour, "ERROR"], tmp_path / "stderr") as client:
        client.initialize(process=process.pid)
        client.open("x = 1\n")
        client.ask(1, 0, 0)
        wait_until(lambda: behaviour != "block" or "block" in client.stderr(), "the handler to begin")
        process.kill()
        assert client.wait() == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ending", ["input", "editor", "kill", "exit"])
def test_index_ends_with_the_server(tmp_path: Path, ending: str) -> None:
    """Whether the server closes, or is stuck or killed as it does."""
    (tmp_path / "work").mkdir()
    with editor() as process, RawClient([*SCRIPTED, "stick", "ERROR"], tmp_path / "stderr") as client:
        client.initialize(folder=tmp_path / "work", process=process.pid)
        [index] = wait_until(psutil.Process(client.process.pid).children, "the index's process")
        end: dict[str, Callable[[], None]] = {
            "input": client.close_stdin,
            "editor": process.kill,
            "kill": client.process.kill,
            "exit": lambda: client.notify("exit", None),
        }
        end[ending]()
        assert client.wait() != 0
        index.wait(PATIENCE)


@contextlib.contextmanager
def editor() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that stands for an editor."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield process
        process.kill()


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
