"""The peer: it is started, measured, typed into and stopped. Here llama-server is a script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from midfill.bench.peer import LlamaServer
from midfill.bench.peer_typing import PeerTyping
from midfill.bench.scenes import Scene
from midfill.bench.sides import Sides
from midfill.common.errors import BenchError
from midfill.prompt.context import gather
from midfill.settings.schema import Settings
from unit.helpers import fake_llama_server, model_tokenizer
from waiting import LIMIT, wait_until

SCENE = Scene("a.py", "def add(left, right):\n    ", "return left + right", "\n\n\nprint(add(1, 2))\n")


def started(folder: Path, says: str) -> LlamaServer:
    """Start the script with a model that generates ``says``."""
    model = folder / "model.gguf"
    model.write_text(says, encoding="utf-8")
    return LlamaServer(fake_llama_server(folder), model, threads=2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LlamaServer]:
    """Return a peer that generates the rest of SCENE."""
    with started(tmp_path, "eturn left + right\n    # and so on\n\n\nprint(add(1, 2))\n") as server:
        yield server


def typing(server: LlamaServer, budget: int = 1000, **settings: Any) -> PeerTyping:
    """Return what types into the peer."""
    return PeerTyping(server, Sides(model_tokenizer(), budget), Settings(bundle=Path(), **settings))


def test_server_is_started_as_it_says(server: LlamaServer) -> None:
    """It gets the given model and threads, on the loopback interface; the description has no folder."""
    assert server.build == "b1-fake"
    described = server.describe()
    assert described.startswith("llama-server -m model.gguf -t 2 -c 8192 --cache-reuse 64 --host 127.0.0.1 --port ")
    assert "/" not in described
    assert server.load_seconds > 0
    assert server.memory.resident >= server.memory.own > 0


def test_speeds_are_those_of_its_timings(server: LlamaServer) -> None:
    """A speed is tokens divided by their time; decoding leaves out the first token."""
    assert server.prefill_speed([1] * 50) == pytest.approx(500)
    assert server.decode_speed([1] * 50, 8) == pytest.approx(100)
    assert server.step_milliseconds([1] * 50, [2] * 3) == pytest.approx(106)
    assert server.first_token_milliseconds([1], keep_prompt=True) > 0


def test_server_ends_with_the_block(tmp_path: Path) -> None:
    """It also ends on an error, together with its children."""

    def running() -> list[psutil.Process]:
        family = psutil.Process().children(recursive=True)
        return [process for process in family if str(tmp_path) in " ".join(process.cmdline())]

    def fail() -> None:
        with started(tmp_path, "x"):
            assert running()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not running()


def test_missing_model_is_told(tmp_path: Path) -> None:
    """The error comes before the server is started."""
    with pytest.raises(BenchError, match=r"there is no .*none\.gguf for llama-server: run `midfill pull`"):
        LlamaServer(fake_llama_server(tmp_path), tmp_path / "none.gguf", 1)


def test_missing_program_is_told(tmp_path: Path) -> None:
    """The error is one line."""
    model = tmp_path / "model.gguf"
    model.touch()
    with pytest.raises(BenchError, match=r"nothing cannot be started: No such file or directory\."):
        LlamaServer(tmp_path / "nothing", model, 1)


def test_program_that_ends_at_once_is_told(tmp_path: Path) -> None:
    """The error has the exit code and the last line it printed."""
    with pytest.raises(BenchError, match=r"llama-server ended with exit code 3: the model is broken"):
        started(tmp_path, "break")


def test_suggestion_ends_where_ours_would(server: LlamaServer) -> None:
    """While typing it is one statement; a whole suggestion stops before a line that follows already."""
    peer = typing(server)
    peer.open(SCENE)
    suggestion = peer.type(len(SCENE.before), "r").result(30)
    peer.close()
    assert suggestion == "eturn left + right"
    assert peer.tokens_computed > len(suggestion)
    whole = peer.complete(SCENE.before + "r" + SCENE.after, len(SCENE.before) + 1)
    assert whole.text == "eturn left + right\n    # and so on"


def test_lines_and_tokens_are_limited_as_ours(server: LlamaServer) -> None:
    """The same settings apply."""
    text, offset = SCENE.before + "r" + SCENE.after, len(SCENE.before) + 1
    assert typing(server, max_lines=1).complete(text, offset).text == "eturn left + right"
    few = typing(server, max_tokens=5).complete(text, offset)
    assert (few.text, few.tokens) == ("eturn", 5)
    assert few.seconds == pytest.approx(0.04)


def test_withdrawn_question_has_no_answer(tmp_path: Path) -> None:
    """The connection is closed during generation, and the next request is not affected."""
    with started(tmp_path, "a…") as server:
        peer = typing(server)
        peer.open(SCENE)
        first = peer.type(len(SCENE.before), "r")
        computed = wait_until(lambda: peer.tokens_computed, "a token")
        peer.withdraw()
        assert isinstance(first.exception(LIMIT), BenchError)
        second = peer.type(len(SCENE.before) + 1, "e")
        peer.withdraw()
        assert isinstance(second.exception(LIMIT), BenchError)
        assert peer.tokens_computed >= computed


def test_sides_are_those_of_our_prompt() -> None:
    """A small document is whole; a large one is cut on both sides to the tokens of Midfill's prompt."""
    text = "".join(f"x{number} = {number}\n" for number in range(500))
    context = gather(text, len(text) // 2)
    whole = Sides(model_tokenizer(), 100_000).of(context)
    assert whole == (context.prefix, context.suffix)
    left, right = Sides(model_tokenizer(), 200).of(context)
    assert left
    assert context.prefix.endswith(left)
    assert right
    assert context.suffix.startswith(right)
    assert len(left) + len(right) < len(text) / 2


def test_nothing_but_a_peer_loads_http() -> None:
    """Importing the benchmark imports neither the peer's client nor an HTTP client."""
    program = "import json, sys, midfill.bench.benchmark; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert {"midfill.bench.peer", "http.client", "urllib.request"}.isdisjoint(json.loads(output))
