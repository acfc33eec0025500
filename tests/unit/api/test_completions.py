"""`/v1/completions` over a real server: the continuation of a text and of token ids, in vLLM's dialect."""

from __future__ import annotations

import math
from pathlib import Path

import httpx
import pytest

from unit.api.conftest import SAID
from unit.api.serving import counting_table, events_in, opening, serving, settings_for
from unit.helpers import MarkovModel, encode, manifest, model_tokenizer

END = manifest().stop_tokens[0]
MIDDLE = manifest().fim.middle


async def test_token_ids_are_continued(client: httpx.AsyncClient) -> None:
    """The prompt is taken as it is, control tokens included; the stop token ends the text and is left out."""
    answer = (await client.post("/v1/completions", json={"prompt": [MIDDLE], "max_tokens": 50})).json()
    assert answer["object"] == "text_completion"
    assert answer["model"] == "tiny"
    assert answer["choices"] == [
        {"index": 0, "text": SAID, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    ]
    said = len(encode(SAID))
    assert answer["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": said,
        "total_tokens": 1 + said,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


async def test_stream_names_each_token_and_its_runner_up(client: httpx.AsyncClient) -> None:
    """An event for each token, with ids and log-probabilities; then the end, the figures and the mark."""
    asked = {
        "prompt": [MIDDLE],
        "max_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "logprobs": 2,
        "return_tokens_as_token_ids": True,
        "return_token_ids": True,
    }
    response = await client.post("/v1/completions", json=asked)
    assert response.headers["content-type"].startswith("text/event-stream")
    *tokens, end, figures, mark = events_in(response.text)
    choices = [event["choices"][0] for event in tokens]
    assert [choice["token_ids"] for choice in choices] == [[token] for token in encode(SAID)]
    assert "".join(choice["text"] for choice in choices) == SAID
    assert [choice["logprobs"]["tokens"] for choice in choices] == [[f"token_id:{each}"] for each in encode(SAID)]
    tops = [choice["logprobs"]["top_logprobs"][0] for choice in choices]
    chosen = [choice["logprobs"]["token_logprobs"][0] for choice in choices]
    assert [max(top.values()) for top in tops] == chosen
    assert {len(top) for top in tops} == {2}
    assert {choice["finish_reason"] for choice in choices} == {None}
    assert end["choices"][0]["finish_reason"] == "stop"
    assert figures["choices"] == []
    assert figures["usage"]["completion_tokens"] == len(encode(SAID))
    assert mark == "[DONE]"


async def test_limit_of_tokens_ends_a_text(client: httpx.AsyncClient) -> None:
    """Then the reason is "length"."""
    answer = (await client.post("/v1/completions", json={"prompt": [MIDDLE], "max_tokens": 1})).json()
    assert answer["choices"][0]["text"] == model_tokenizer().spell(encode(SAID)[:1])
    assert answer["choices"][0]["finish_reason"] == "length"


async def test_stop_text_ends_a_text_before_it(client: httpx.AsyncClient) -> None:
    """Also one that begins in one token and ends in another, of which no part comes out before."""
    asked = {"prompt": [MIDDLE], "max_tokens": 50, "stop": ["n l"], "stream": True}
    *tokens, end, _mark = events_in((await client.post("/v1/completions", json=asked)).text)
    assert "".join(event["choices"][0]["text"] for event in tokens) == "retur"
    assert end["choices"][0] == {
        "index": 0,
        "text": "",
        "logprobs": None,
        "finish_reason": "stop",
        "stop_reason": "n l",
    }


async def test_stop_token_of_the_request_ends_a_text(client: httpx.AsyncClient) -> None:
    """Besides the model's own."""
    last = encode(SAID)[-1]
    asked = {"prompt": [MIDDLE], "max_tokens": 50, "stop_token_ids": [last]}
    answer = (await client.post("/v1/completions", json=asked)).json()
    assert answer["choices"][0]["text"] == model_tokenizer().spell(encode(SAID)[:-1])


async def test_control_tokens_in_a_text_stay_text(client: httpx.AsyncClient) -> None:
    """What a text spells never becomes the prompt format's own token, so its tokens are many."""
    answer = (await client.post("/v1/completions", json={"prompt": "<|fim_middle|>", "max_tokens": 4})).json()
    assert answer["usage"]["prompt_tokens"] > 1


async def test_prompt_is_scored(client: httpx.AsyncClient) -> None:
    """Each token but the first has its log-probability, and that of the likeliest token at its place."""
    first, second, *_ = encode(SAID)
    asked = {"prompt": [MIDDLE, first, first], "max_tokens": 1, "prompt_logprobs": 1}
    scores = (await client.post("/v1/completions", json=asked)).json()["choices"][0]["prompt_logprobs"]
    assert scores[0] is None
    assert set(scores[1]) == {str(first)}
    assert scores[1][str(first)]["rank"] == 1
    assert scores[2][str(second)]["logprob"] - scores[2][str(first)]["logprob"] == pytest.approx(1.0)
    assert sum(math.exp(each["logprob"]) for each in scores[2].values()) < 1


@pytest.mark.parametrize(
    "wanted",
    [
        {"structured_outputs": {"regex": r"pas[\s\S]*"}, "max_tokens": 3},
        {"allowed_token_ids": sorted(map(int, model_tokenizer().vocabulary.spelling("pas"))), "max_tokens": 1},
    ],
    ids=["regex", "allowed tokens"],
)
async def test_required_text_begins_the_answer(client: httpx.AsyncClient, wanted: dict[str, object]) -> None:
    """Token healing by a client: the model would say something else."""
    answer = (await client.post("/v1/completions", json={"prompt": [MIDDLE], **wanted})).json()
    assert "pas".startswith(answer["choices"][0]["text"][:3])
    assert answer["choices"][0]["text"]


async def test_drawn_text_depends_on_the_seed(bundle: Path) -> None:
    """The same seed draws the same text, and the temperature is heeded."""
    model = MarkovModel(counting_table())
    async with serving(settings_for(bundle), opening(model)) as client:
        asked = {"prompt": [50], "max_tokens": 8, "temperature": 2.0, "return_token_ids": True}

        async def drawn(seed: int) -> list[int]:
            answer = (await client.post("/v1/completions", json={**asked, "seed": seed})).json()
            found: list[int] = answer["choices"][0]["token_ids"]
            return found

        assert await drawn(1) == await drawn(1)
        assert await drawn(1) != await drawn(2)


async def test_models_name_the_bundle_and_its_room(client: httpx.AsyncClient) -> None:
    """As vLLM's clients ask first of all."""
    (model,) = (await client.get("/v1/models")).json()["data"]
    assert (model["id"], model["owned_by"]) == ("tiny", "midfill")
    assert model["max_model_len"] == manifest().usable_context


async def test_tokens_and_texts_are_turned_into_each_other(client: httpx.AsyncClient) -> None:
    """In both dialects."""
    for_vllm = (await client.post("/tokenize", json={"prompt": "return left"})).json()
    for_llama = (await client.post("/tokenize", json={"content": "return left"})).json()
    assert for_vllm["tokens"] == for_llama["tokens"] == encode("return left")
    back = (await client.post("/detokenize", json={"tokens": encode("return left")})).json()
    assert back["content"] == back["prompt"] == "return left"
