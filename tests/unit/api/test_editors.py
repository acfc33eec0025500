"""What editors really send, kept in `requests/`: each gets a suggestion in the form that it reads.

The bodies were written after the sources of llama.vim, llama.vscode, Zed and Continue.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from unit.api.serving import events_in, serving, settings_for
from unit.helpers import chain_graph, write_bundle

REQUESTS = Path(__file__).parent / "requests"
SUGGESTED = "return left + right"


def sent_by(editor: str) -> dict[str, Any]:
    """Return the body of an editor's request."""
    found: dict[str, Any] = json.loads((REQUESTS / f"{editor}.json").read_text(encoding="utf-8"))
    return found


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server whose model has a suggestion for any place."""
    folder = write_bundle(tmp_path / "bundle", graph=chain_graph("    return left + right", anywhere=True)).path
    async with serving(settings_for(folder)) as client:
        yield client


async def test_llama_vim_gets_the_fields_that_it_names(client: httpx.AsyncClient) -> None:
    """By their paths, as llama-server gives them."""
    body = sent_by("llama.vim")
    answer = (await client.post("/infill", json=body)).json()
    assert answer["content"] == SUGGESTED
    assert set(answer) == set(body["response_fields"])
    assert answer["timings/prompt_n"] > 0
    assert answer["timings/predicted_per_second"] > 0


async def test_llama_vim_has_a_prompt_computed_ahead(client: httpx.AsyncClient) -> None:
    """It asks for no tokens, and wants no field."""
    assert (await client.post("/infill", json=sent_by("llama.vim-ahead"))).json() == {}


async def test_llama_vscode_gets_the_whole_answer(client: httpx.AsyncClient) -> None:
    """It reads the content, and figures for its status bar."""
    answer = (await client.post("/infill", json=sent_by("llama.vscode"))).json()
    assert answer["content"] == SUGGESTED
    assert answer["timings"]["predicted_n"] > 0
    assert answer["stop_type"] in ("eos", "limit")


async def test_zed_gets_the_text_for_its_gap(client: httpx.AsyncClient) -> None:
    """Its prompt is spelt with control tokens; it needs all that OpenAI's answer has."""
    answer = (await client.post("/v1/completions", json=sent_by("zed"))).json()
    assert answer["choices"][0]["text"] == SUGGESTED
    assert {"id", "object", "created", "model", "choices", "usage"} <= set(answer)
    assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= set(answer["usage"])


async def test_continue_gets_a_stream_of_llama_servers_kind(client: httpx.AsyncClient) -> None:
    """As its provider "llama.cpp" reads it."""
    events = events_in((await client.post("/completion", json=sent_by("continue-llama.cpp"))).text)
    assert "".join(event["content"] for event in events) == SUGGESTED
    assert [event["stop"] for event in events] == [False, True]


async def test_continue_gets_a_stream_of_openais_kind(client: httpx.AsyncClient) -> None:
    """As its providers with a suffix read it."""
    *events, mark = events_in((await client.post("/v1/completions", json=sent_by("continue-llamastack"))).text)
    assert "".join(event["choices"][0]["text"] for event in events) == SUGGESTED
    assert mark == "[DONE]"
