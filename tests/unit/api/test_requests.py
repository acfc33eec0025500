"""Requests that are wrong: each gets one clear error, and the server keeps serving."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.api.errors import RequestError
from midfill.api.fields import Fields, parse
from midfill.api.gap_fields import gap_in_infill
from midfill.api.responses import MAX_BODY_BYTES
from midfill.api.sampling_fields import sampling_of
from midfill.common.logs import setup_logging
from unit.api.serving import opening, serving, settings_for
from unit.helpers import MarkovModel, manifest

VOCABULARY = manifest().vocabulary
COMPLETIONS, INFILL = "/v1/completions", "/infill"


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (COMPLETIONS, {}, "prompt"),
        (COMPLETIONS, {"prompt": None}, "prompt"),
        (COMPLETIONS, {"prompt": ""}, "prompt"),
        (COMPLETIONS, {"prompt": []}, "prompt"),
        (COMPLETIONS, {"prompt": ["a", "b"]}, "prompt"),
        (COMPLETIONS, {"prompt": [1, "a"]}, "prompt"),
        (COMPLETIONS, {"prompt": [True]}, "prompt"),
        (COMPLETIONS, {"prompt": [1.5]}, "prompt"),
        (COMPLETIONS, {"prompt": [-1]}, "prompt"),
        (COMPLETIONS, {"prompt": [VOCABULARY]}, "prompt"),
        (COMPLETIONS, {"prompt": [10**30]}, "prompt"),
        (COMPLETIONS, {"prompt": [1] * 2000}, "prompt"),
        (COMPLETIONS, {"prompt": {"text": "a"}}, "prompt"),
        (COMPLETIONS, {"prompt": "\ud800"}, "prompt"),
        (COMPLETIONS, {"prompt": [1], "max_tokens": 0}, "max_tokens"),
        (COMPLETIONS, {"prompt": [1], "max_tokens": "many"}, "max_tokens"),
        (COMPLETIONS, {"prompt": [1], "max_tokens": 1e400}, "max_tokens"),
        (COMPLETIONS, {"prompt": [1], "temperature": -1}, "temperature"),
        (COMPLETIONS, {"prompt": [1], "temperature": True}, "temperature"),
        (COMPLETIONS, {"prompt": [1], "top_p": 1.5}, "top_p"),
        (COMPLETIONS, {"prompt": [1], "logprobs": -1}, "logprobs"),
        (COMPLETIONS, {"prompt": [1], "n": 2}, "n"),
        (COMPLETIONS, {"prompt": [1], "best_of": 3}, "best_of"),
        (COMPLETIONS, {"prompt": [1], "echo": True}, "echo"),
        (COMPLETIONS, {"prompt": "a", "suffix": "b", "n": 2}, "n"),
        (COMPLETIONS, {"prompt": [1], "stop": [1]}, "stop"),
        (COMPLETIONS, {"prompt": [1], "stop": ["a"] * 1000}, "stop"),
        (COMPLETIONS, {"prompt": [1], "stream": "yes"}, "stream"),
        (COMPLETIONS, {"prompt": [1], "stream_options": []}, "stream_options"),
        (COMPLETIONS, {"prompt": [1], "stop_token_ids": [VOCABULARY]}, "stop_token_ids"),
        (COMPLETIONS, {"prompt": [1], "presence_penalty": 1.5}, "presence_penalty"),
        (COMPLETIONS, {"prompt": [1], "logit_bias": {"5": 100}}, "logit_bias"),
        (COMPLETIONS, {"prompt": [1], "structured_outputs": {"regex": "a|b"}}, "structured_outputs.regex"),
        (COMPLETIONS, {"prompt": [1], "allowed_token_ids": [5, 9], "max_tokens": 1}, "allowed_token_ids"),
        (COMPLETIONS, {"prompt": [1], "allowed_token_ids": [5], "max_tokens": 9}, "allowed_token_ids"),
        (COMPLETIONS, {"prompt": [1], "prompt_logprobs": 1, "stream": True}, "prompt_logprobs"),
        (COMPLETIONS, {"prompt": "a", "suffix": 1}, "suffix"),
        ("/completion", {"prompt": [1], "grammar": "root ::= .*"}, "grammar"),
        ("/completion", {"prompt": [1], "n_predict": 0}, "n_predict"),
        ("/completion", {"prompt": [1], "t_max_predict_ms": -1}, "t_max_predict_ms"),
        (INFILL, {"input_prefix": 1}, "input_prefix"),
        (INFILL, {"input_suffix": ["a"]}, "input_suffix"),
        (INFILL, {"input_extra": "a"}, "input_extra"),
        (INFILL, {"input_extra": [1]}, "input_extra"),
        (INFILL, {"input_extra": [{"text": 1}]}, "input_extra.text"),
        (INFILL, {"n_predict": -2}, "n_predict"),
        (INFILL, {"response_fields": 1}, "response_fields"),
        ("/tokenize", {"content": 1}, "content"),
        ("/detokenize", {"tokens": ["a"]}, "tokens"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else None,
)
async def test_wrong_field_is_named(client: httpx.AsyncClient, path: str, body: dict[str, Any], named: str) -> None:
    """In one sentence, in the form of both dialects."""
    answer = await client.post(path, content=json.dumps(body).replace("Infinity", "1e400"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (400, 400, "invalid_request_error")
    assert (error["param"] or "") == named
    assert named in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b"{", b"\xff", b'{"prompt": NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000],
    ids=["nothing", "list", "number", "null", "unfinished", "no UTF-8", "NaN", "deep list", "deep", "long number"],
)
async def test_body_must_be_a_json_object(client: httpx.AsyncClient, body: bytes) -> None:
    """Whatever else is sent."""
    answer = await client.post(COMPLETIONS, content=body)
    assert answer.status_code == 400
    assert "JSON object" in answer.json()["error"]["message"]


async def test_large_body_is_refused(client: httpx.AsyncClient) -> None:
    """Before it fills the memory."""
    answer = await client.post(COMPLETIONS, content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(("method", "path", "status"), [("GET", INFILL, 405), ("POST", "/v1/embeddings", 404)])
async def test_wrong_path_or_method(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    """Errors of the same form."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


async def test_chat_is_refused(client: httpx.AsyncClient) -> None:
    """It says what to use instead."""
    answer = await client.post("/v1/chat/completions", json={"messages": []})
    assert answer.status_code == 501
    assert "/infill" in answer.json()["error"]["message"]


async def test_missing_bundle_is_named(tmp_path: Path) -> None:
    """It may be made while the server runs, so the server does not end."""
    async with serving(settings_for(tmp_path / "none")) as client:
        answers = [
            await client.get("/v1/models"),
            await client.post(COMPLETIONS, json={"prompt": [1]}),
            await client.post(INFILL, json={"input_prefix": "a"}),
        ]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all("midfill pull" in answer.json()["error"]["message"] for answer in answers)


async def test_bug_is_told_without_the_text(bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither to the client nor in the log; and the next request is answered."""
    model = MarkovModel.__new__(MarkovModel)  # without a table, so that each step fails
    async with serving(settings_for(bundle), opening(model)) as client:
        setup_logging("DEBUG")
        answer = await client.post(COMPLETIONS, json={"prompt": "SENTINEL = 1", "max_tokens": 3})
        streamed = await client.post(COMPLETIONS, json={"prompt": "SENTINEL = 1", "max_tokens": 3, "stream": True})
        filled = await client.post(INFILL, json={"input_prefix": "SENTINEL = ", "input_suffix": "\n"})
    assert [answer.status_code, filled.status_code] == [500, 500]
    assert '"code": 500' in streamed.text
    logged = capfd.readouterr().err
    assert "AttributeError" in logged
    assert "SENTINEL" not in logged + answer.text + streamed.text + filled.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "prompt",
        "input_prefix",
        "input_suffix",
        "input_extra",
        "n_predict",
        "stop",
        "temperature",
        "top_k",
        "top_p",
        "seed",
    ]
)


@pytest.mark.parametrize("read", [gap_in_infill, sampling_of])
@given(values=st.dictionaries(NAMES, JSON))
def test_any_fields_are_read_or_refused(read: Callable[[Fields], object], values: dict[str, object]) -> None:
    """No value makes anything else than an error for its client."""
    assert _status(lambda: read(Fields(values))) in (200, 400)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """No bytes do."""
    assert _status(lambda: parse(body)) in (200, 400)


def _status(read: Callable[[], object]) -> int:
    """Return the HTTP status of what ``read`` does."""
    try:
        read()
    except RequestError as error:
        return error.status
    return 200
