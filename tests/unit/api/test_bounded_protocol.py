"""Connections over real sockets of processes that have no key, and send nothing or too little."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from midfill.api import bounded_protocol
from unit.api.serving import PermittedModel, counting_table, opening, serving, settings_for
from waiting import LIMIT, wait_on_loop_until

NOTHING, HALF_A_HEAD = b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_A_BODY = b"POST /infill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
HALF_A_SECOND_HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET"


async def connect(client: httpx.AsyncClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return another connection to the same server."""
    return await asyncio.open_connection("127.0.0.1", client.base_url.port)


async def test_silent_connections_keep_nobody_out(client: httpx.AsyncClient) -> None:
    """However many there are: the oldest ones have to leave, and one with the key stays."""
    assert (await client.get("/v1/models")).status_code == 200
    silent = [await connect(client) for _ in range(150)]
    assert (await client.get("/v1/models")).status_code == 200
    async with httpx.AsyncClient(base_url=client.base_url, headers=client.headers) as other:
        assert (await other.get("/v1/models")).status_code == 200
    await asyncio.wait([asyncio.ensure_future(silent[0][0].read())], timeout=LIMIT)
    assert silent[0][0].exception() or silent[0][0].at_eof()
    assert not silent[-1][0].at_eof()
    for _, writer in silent:
        writer.close()


async def test_head_that_does_not_end_ends_its_connection(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a body that nobody wants. A request that is being answered may take longer."""
    monkeypatch.setattr(bounded_protocol, "HEAD_SECONDS", 0.2)
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle), opening(model)) as client:
        asked = {"prompt": [50], "max_tokens": 1}
        waiting = asyncio.create_task(client.post("/v1/completions", json=asked))
        await wait_on_loop_until(model.waiting.is_set, "the request's first step")
        for sent in (NOTHING, HALF_A_HEAD, HALF_A_BODY, HALF_A_SECOND_HEAD):
            reader, writer = await connect(client)
            writer.write(sent)
            await asyncio.wait([asyncio.ensure_future(reader.read())], timeout=LIMIT)
            assert reader.at_eof() or reader.exception()
            writer.close()
        model.permit(1)
        assert (await waiting).status_code == 200
