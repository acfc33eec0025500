"""`midfill api` as its user starts it, with the real model: over loopback, with the key that it makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from midfill.common.cancel import CancelFlag
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.inference.token_generator import GenerationRequest
from midfill.prompt.context import gather
from midfill.prompt.fim import build_prompt
from midfill.settings.schema import Settings

pytestmark = pytest.mark.bundle
PREFIX = 'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n    if n < 2:\n        return n\n    return '
SUFFIX = "\n\n\nprint(fibonacci(10))\n"
INVOKED = {"automatic": False}
EXPECTED = "fibonacci(n - 1) + fibonacci(n - 2)"


@dataclass(frozen=True)
class Server:
    """A server that runs, and a client that has its key."""

    client: httpx.Client
    line: str
    """What it has printed."""


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[Server]:
    """Start the command; end it as Ctrl+C does."""
    command = [sys.executable, "-m", "midfill", "api", "--port", "0", "--bundle", str(bundle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            told = re.fullmatch(r"Midfill listens at (\S+), on this machine only; the key is in (.+)\.\n", line)
            assert told, line
            headers = {"Authorization": f"Bearer {Path(told[2]).read_text(encoding='utf-8').strip()}"}
            with httpx.Client(base_url=told[1], headers=headers, timeout=300) as client:
                yield Server(client, line)
        finally:
            process.terminate()
            logged = process.communicate(timeout=60)[1]
            assert "fibonacci" not in logged


@pytest.fixture(scope="module")
def local(bundle: Path) -> LoadedModel:
    """Return the same model in this process."""
    return load_model(Settings(bundle=bundle))


def prompt(local: LoadedModel) -> list[int]:
    """Return the prompt for the gap, as Midfill writes it."""
    context = gather(PREFIX + SUFFIX, len(PREFIX))
    return list(build_prompt(context, local.manifest.fim, local.tokenizer.encode, 1000, lambda _: False).ids)


def test_gap_is_filled(server: Server) -> None:
    """By text and suffix, by llama-server's fields, and by a prompt that is spelt with control tokens.

    Nobody types here, so that the model's confidence does not decide.
    """
    client = server.client
    spelt = f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
    texts = [
        client.post("/v1/completions", json={"prompt": PREFIX, "suffix": SUFFIX}).json()["choices"][0]["text"],
        client.post("/infill", json={"input_prefix": PREFIX, "input_suffix": SUFFIX, **INVOKED}).json()["content"],
        client.post("/v1/completions", json={"prompt": spelt, **INVOKED}).json()["choices"][0]["text"],
        client.post("/completion", json={"prompt": spelt, **INVOKED}).json()["content"],
    ]
    assert [re.sub(r"\s", "", text) for text in texts] == [EXPECTED.replace(" ", "")] * 4


def test_tokens_are_those_of_the_local_engine(server: Server, local: LoadedModel) -> None:
    """With their log-probabilities and runners-up."""
    ids = prompt(local)
    asked = {
        "prompt": ids,
        "max_tokens": 12,
        "stream": True,
        "logprobs": 2,
        "return_tokens_as_token_ids": True,
        "temperature": 0,
    }
    body = server.client.post("/v1/completions", json=asked).text
    events = [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line.startswith("data: {")]
    found = [event["choices"][0]["logprobs"] for event in events if event["choices"][0]["logprobs"]]
    generator = local.new_generator(context=2048, cache_bytes=0, max_draft_tokens=0)
    request = GenerationRequest(prompt=ids, max_tokens=12, stop_tokens=local.tokenizer.stop_tokens)
    choices = list(generator.generate(request, CancelFlag()))
    assert [each["tokens"] for each in found] == [[f"token_id:{choice.token}"] for choice in choices]
    assert [each["token_logprobs"][0] for each in found] == pytest.approx([each.logprob for each in choices], abs=1e-3)
    places = zip(found, choices, strict=True)
    runners_up = [each["top_logprobs"][0][f"token_id:{choice.runner_up}"] for each, choice in places]
    assert runners_up == pytest.approx([choice.runner_up_logprob for choice in choices], abs=1e-3)


def test_prompt_is_scored_as_by_the_local_engine(server: Server, local: LoadedModel) -> None:
    """Each token has its own log-probability."""
    ids = prompt(local)[:20]
    asked = {"prompt": ids, "max_tokens": 1, "prompt_logprobs": 1}
    scores = server.client.post("/v1/completions", json=asked).json()["choices"][0]["prompt_logprobs"]
    generator = local.new_generator(context=2048, cache_bytes=0, max_draft_tokens=0)
    expected = [score.logprob for score in generator.score(ids[:1], ids[1:], CancelFlag())]
    found = [score[str(token)]["logprob"] for token, score in zip(ids[1:], scores[1:], strict=True)]
    assert found == pytest.approx(expected, abs=1e-3)


def test_two_clients_at_once_get_their_own_texts(server: Server) -> None:
    """Each text has its client's marker."""
    texts: dict[str, str] = {}

    def ask(marker: str) -> None:
        prefix = f"def {marker}(value):\n    return value\n\n\ndef twice(value):\n    return "
        asked = {"prompt": prefix, "suffix": "\n", "max_tokens": 24}
        answer = server.client.post("/v1/completions", json=asked).json()
        texts[marker] = answer["choices"][0]["text"]

    markers = ("left_marker", "right_marker")
    with ThreadPoolExecutor(4) as clients:
        list(clients.map(ask, markers * 3))
    assert set(texts) == set(markers)
    assert not any(other in texts[own] for own, other in (markers, markers[::-1]))


def test_command_refuses_what_is_not_loopback(bundle: Path) -> None:
    """In one line."""
    command = [sys.executable, "-m", "midfill", "api", "--host", "192.0.2.1", "--bundle", str(bundle)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("midfill: '192.0.2.1' is not on this machine only: --host must be 127.0.0.1")
