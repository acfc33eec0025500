"""The client of a server's model and `midfill api`, each against the other, over loopback, with the real model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.common.cancel import CancelFlag
from midfill.inference.loaded_model import LoadedModel, load_model
from midfill.inference.token_generator import GenerationRequest, LanguageModel, TokenGenerator
from midfill.remote.open_remote import KEY_VARIABLE, access_of, open_remote
from midfill.settings.schema import Settings

pytestmark = pytest.mark.bundle
KEY = "a-key-of-the-tests"
CODE = "def fibonacci(n):\n    if n < 2:\n        "


@pytest.fixture(scope="module")
def remote(bundle: Path) -> Iterator[LanguageModel]:
    """Return the model of a server that runs `midfill api`."""
    command = [sys.executable, "-m", "midfill", "api", "--port", "0", "--bundle", str(bundle)]
    environment = {**os.environ, "MIDFILL_API_KEY": KEY}
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert process.stdout is not None
        told = re.search(r"http://\S+(?=,)", process.stdout.readline())
        assert told
        patch.setenv(KEY_VARIABLE, KEY)
        settings = replace(Settings(bundle=bundle), engine=told[0], engine_timeout_ms=60_000)
        yield open_remote(settings, access_of(settings), None)
        process.terminate()


@pytest.fixture(scope="module")
def local(bundle: Path) -> LoadedModel:
    """Return the same model in this process."""
    return load_model(Settings(bundle=bundle))


def generator(model: LanguageModel) -> TokenGenerator:
    """Return a generator without drafts."""
    return model.new_generator(context=1024, cache_bytes=0, max_draft_tokens=0)


@pytest.mark.parametrize("required", ["", "retur", "    "])
def test_tokens_are_the_same(remote: LanguageModel, local: LoadedModel, required: str) -> None:
    """Also after a required text, where the client knows only two tokens, so its log-probability is not exact."""
    request = GenerationRequest(
        prompt=local.tokenizer.encode(CODE),
        max_tokens=12,
        stop_tokens=local.tokenizer.stop_tokens,
        required_prefix=required,
    )
    here, there = (list(generator(model).generate(request, CancelFlag())) for model in (local, remote))
    assert [choice.token for choice in there] == [choice.token for choice in here]
    difference = max(abs(a.logprob - b.logprob) for a, b in zip(here, there, strict=True))
    assert difference < (0.5 if required else 0.01)


def test_scores_are_the_same(remote: LanguageModel, local: LoadedModel) -> None:
    """Of a text after a prompt."""
    prompt, text = local.tokenizer.encode(CODE), local.tokenizer.encode("return n")
    here, there = (list(generator(model).score(prompt, text, CancelFlag())) for model in (local, remote))
    assert [score.likeliest for score in there] == [score.likeliest for score in here]
    assert [score.margin for score in there] == pytest.approx([score.margin for score in here], abs=0.01)
