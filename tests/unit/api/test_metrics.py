"""What the server counts, over a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from midfill.bench.engine_counts import EngineCounts, parse_counts
from unit.api.serving import PermittedModel, counting_table, opening, serving, settings_for
from waiting import wait_on_loop_until


async def test_counts(bundle: Path) -> None:
    """Of an answer, of a client that left, and of what one waits for; they need the key, and have no text."""
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle, draft_tokens=0), opening(model)) as client:
        asked = {"prompt": [50, 51], "max_tokens": 3}
        model.permit(3)
        assert (await client.post("/v1/completions", json=asked)).status_code == 200
        assert (await client.post("/v1/completions", json={**asked, "n": 2})).status_code == 400
        leaving = asyncio.create_task(client.post("/v1/completions", json=asked))
        await wait_on_loop_until(model.waiting.is_set, "the second request")
        during = (await client.get("/metrics")).text.splitlines()
        leaving.cancel()
        await wait_on_loop_until(model.stopped.is_set, "the end of the second request")
        after = await client.get("/metrics")
        assert (await client.get("/metrics", headers={"Authorization": ""})).status_code == 401
    assert "midfill_requests_running 1" in during
    assert "midfill_requests_waiting 0" in during
    assert after.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = after.text.splitlines()
    assert "# TYPE midfill_requests_total counter" in lines
    assert {"midfill_requests_total 2", "midfill_requests_cancelled_total 1", "midfill_requests_failed_total 0"} <= {
        *lines
    }
    assert parse_counts(after.text) == EngineCounts(generated=4, prompts=4, reused=2)
    assert all(line.startswith(("# HELP midfill_", "# TYPE midfill_", "midfill_")) for line in lines)
