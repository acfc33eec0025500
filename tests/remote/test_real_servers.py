"""vLLM and llama-server themselves: their tokens, their log-probabilities, and that they stop when a client leaves."""

from __future__ import annotations

import os

import httpx

from midfill.common.cancel import CancelFlag
from midfill.inference.token_generator import GenerationRequest, LanguageModel
from waiting import wait_until

CODE = [
    "def add(left, right):\n    return left",
    "import os\n\n\ndef names(folder):\n    return sorted(os.listdir(",
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self",
    "for number in range(10):\n    if number % 2 == 0:\n        print(",
    "with open('naïve.txt', encoding='utf-8') as file:\n    text = file",
]
"""Places where every code model goes on alike."""


def tokens(model: LanguageModel, text: str, *, required: str = "", count: int = 4) -> list[int]:
    """Generate a few tokens after a text."""
    generator = model.new_generator(context=1024, cache_bytes=1 << 28, max_draft_tokens=0)
    prompt = model.tokenizer.encode(text)
    stops = model.tokenizer.stop_tokens
    request = GenerationRequest(prompt=prompt, max_tokens=count, stop_tokens=stops, required_prefix=required)
    choices = list(generator.generate(request, CancelFlag()))
    assert all(choice.logprob <= 0 for choice in choices)
    assert all(choice.logprob >= choice.runner_up_logprob for choice in choices)
    return [choice.token for choice in choices]


def test_tokens_are_those_of_the_same_model_here(served: LanguageModel, here: LanguageModel) -> None:
    """In most places: the weights are rounded in another way."""
    same = [tokens(served, text) == tokens(here, text) for text in CODE]
    assert sum(same) >= len(CODE) - 1


def test_required_prefix_is_spelt(served: LanguageModel) -> None:
    """Whether the server would have begun like that or not."""
    for prefix in (" retur", " xylo", "    ", "_pri"):
        found = tokens(served, "def add(left, right):\n   ", required=prefix, count=8)
        assert served.tokenizer.text(found).startswith(prefix)


def test_scores_are_near_those_of_the_same_model_here(served: LanguageModel, here: LanguageModel) -> None:
    """The likeliest tokens are mostly the same."""
    prompt, text = (here.tokenizer.encode(part) for part in ("def add(left, right):\n", "    return left + right\n"))

    def likeliest(model: LanguageModel) -> list[int]:
        generator = model.new_generator(context=1024, cache_bytes=1 << 28, max_draft_tokens=0)
        return [score.likeliest for score in generator.score(prompt, text, CancelFlag())]

    pairs = zip(likeliest(served), likeliest(here), strict=True)
    assert sum(one == other for one, other in pairs) >= len(text) - 2


def test_characters_of_several_tokens_are_whole(served: LanguageModel) -> None:
    """Also where the server sends only the last of their tokens."""
    found = tokens(served, 'PARTY = "🎉"\nROCKET = "🚀"\nPARTY_AGAIN = "', count=6)
    assert "\ufffd" not in served.tokenizer.text(found)


def test_server_stops_when_its_client_leaves(served: LanguageModel, url: str) -> None:
    """As its own figures say."""
    generator = served.new_generator(context=4096, cache_bytes=1 << 28, max_draft_tokens=0)
    prompt = served.tokenizer.encode("# One to ten thousand, in words:\n# one\n# two\n")
    stream = generator.generate(GenerationRequest(prompt=prompt, max_tokens=2000, stop_tokens=()), CancelFlag())
    next(stream)
    assert running(url)
    stream.close()
    wait_until(lambda: not running(url), "the end of the request at the server")


def running(url: str) -> bool:
    """Whether the server generates something now."""
    headers = {"Authorization": f"Bearer {os.environ.get('MIDFILL_ENGINE_KEY', 'none')}"}
    slots = httpx.get(f"{url}/slots", headers=headers)
    if slots.is_success:
        return any(slot["is_processing"] for slot in slots.json())
    lines = httpx.get(f"{url}/metrics", headers=headers).text.splitlines()  # vLLM has no slots
    return any(line.startswith("vllm:num_requests_running") and not line.endswith(" 0.0") for line in lines)
