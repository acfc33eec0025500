"""Requests take turns, and stop when their client leaves: over a real server, counted in the model's steps."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import httpx

from midfill.api.model_worker import LONG_TOKENS, MAX_REQUESTS, ModelWorker
from midfill.common.cancel import CancelFlag
from midfill.completion.lifecycle import Engine
from midfill.inference.decoder import PREFILL_CHUNK
from midfill.inference.token_generator import GenerationRequest
from midfill.settings.live import LiveSettings
from unit.api.serving import PermittedModel, counting_table, loading, opening, serving, settings_for
from waiting import LIMIT, wait_on_loop_until

PLENTY = 10_000


async def test_client_that_leaves_stops_its_stream(bundle: Path) -> None:
    """The step that runs is the last one."""
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle, draft_tokens=0), opening(model)) as client:
        asked = {"prompt": [50], "max_tokens": 200, "stream": True}
        model.permit(3)
        async with client.stream("POST", "/v1/completions", json=asked) as response:
            events = response.aiter_lines()
            await anext(events)
        await wait_on_loop_until(model.stopped.is_set, "the end of the generation")
        assert len(model.steps) == 3


async def test_client_that_leaves_stops_its_answer(bundle: Path) -> None:
    """Also one that is not streamed."""
    model = PermittedModel(counting_table())
    model.permit(1)
    async with serving(settings_for(bundle, draft_tokens=0), opening(model)) as client:
        asking = asyncio.create_task(client.post("/v1/completions", json={"prompt": [50], "max_tokens": 200}))
        await wait_on_loop_until(model.waiting.is_set, "the step after the prompt")
        asking.cancel()
        await wait_on_loop_until(model.stopped.is_set, "the end of the generation")
        assert model.steps == [1]


async def test_client_that_leaves_stops_its_suggestion(bundle: Path) -> None:
    """The pipeline is stopped as well."""
    model = PermittedModel(counting_table())
    model.permit(1)
    async with serving(settings_for(bundle), opening(model)) as client:
        asking = asyncio.create_task(client.post("/infill", json={"input_prefix": "x = ", "input_suffix": "\n"}))
        await wait_on_loop_until(model.waiting.is_set, "the step after the prompt")
        asking.cancel()
        await wait_on_loop_until(model.stopped.is_set, "the end of the suggestion")


async def test_client_that_leaves_gives_up_its_place(bundle: Path) -> None:
    """A request that waits is not begun when its client has left."""
    worker = ModelWorker(LiveSettings(settings_for(bundle)), loading(PermittedModel(counting_table())))
    may_end, done = threading.Event(), list[int]()

    def turn(number: int) -> Callable[[Engine, CancelFlag], None]:
        def work(_engine: Engine, _flag: CancelFlag) -> None:
            may_end.wait(LIMIT)
            done.append(number)

        return work

    await worker.model()
    first, second, third = (asyncio.create_task(worker.run(turn(number))) for number in (1, 2, 3))
    await asyncio.wait([second], timeout=0.1)
    second.cancel()
    await asyncio.wait([second])
    may_end.set()
    await asyncio.gather(first, third)
    assert done == [1, 3]
    worker.close()


async def test_prompt_of_a_client_that_leaves_is_kept(bundle: Path) -> None:
    """The chunk that runs is finished, and the next request goes on from there, whatever others asked meanwhile."""
    model = PermittedModel(counting_table())
    worker = ModelWorker(LiveSettings(settings_for(bundle)), loading(model))

    async def ask(prompt: list[int]) -> None:
        request = GenerationRequest(prompt=prompt, max_tokens=1, stop_tokens=())
        assert len([token async for token in worker.tokens(request)]) == 1

    leaving = asyncio.create_task(ask([50] * 600))
    model.permit(1)
    await wait_on_loop_until(lambda: len(model.steps) == 1, "the first chunk")
    leaving.cancel()
    await asyncio.wait([leaving])
    model.permit(PLENTY)
    await ask([60] * 200)
    await ask([50] * 600)
    assert model.steps == [PREFILL_CHUNK, PREFILL_CHUNK, PREFILL_CHUNK, 72, PREFILL_CHUNK, PREFILL_CHUNK, 88]
    assert not model.stopped.is_set()
    worker.close()


async def test_two_clients_get_their_own_texts(bundle: Path) -> None:
    """At once, several times; none is crossed."""
    model = PermittedModel(counting_table())
    model.permit(PLENTY)
    async with serving(settings_for(bundle), opening(model)) as client:

        async def ask(first: int) -> list[int]:
            asked = {"prompt": [first], "max_tokens": 5, "return_token_ids": True}
            answer = (await client.post("/v1/completions", json=asked)).json()
            found: list[int] = answer["choices"][0]["token_ids"]
            return found

        firsts = [40 + number for number in range(20)]
        answers = await asyncio.gather(*map(ask, firsts))
        assert answers == [list(range(first + 1, first + 6)) for first in firsts]


async def test_short_text_goes_before_a_long_one(bundle: Path) -> None:
    """A long text lets others go first at its next step, and goes on afterwards."""
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle, draft_tokens=0), opening(model)) as client:
        asked = {"prompt": [50, 51, 52], "max_tokens": LONG_TOKENS + 1}
        long = asyncio.create_task(client.post("/v1/completions", json=asked))
        await wait_on_loop_until(model.waiting.is_set, "the long text's first step")
        model.permit(1)
        await wait_on_loop_until(lambda: model.steps == [3], "the long text's prompt")
        short = asyncio.create_task(client.post("/v1/completions", json={"prompt": [60, 61], "max_tokens": 1}))
        await wait_on_loop_until(model.stopped.is_set, "the preemption")
        model.permit(1)
        assert (await short).json()["usage"]["completion_tokens"] == 1
        assert model.steps == [3, 2]
        model.permit(PLENTY)
        assert (await long).json()["usage"]["completion_tokens"] == LONG_TOKENS + 1


async def test_too_many_requests_are_refused(bundle: Path) -> None:
    """So that no client fills the memory; the others are answered."""
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle), opening(model)) as client:
        client.timeout = httpx.Timeout(60)
        asked = {"prompt": [50], "max_tokens": 1}
        asking = [asyncio.create_task(client.post("/v1/completions", json=asked)) for _ in range(MAX_REQUESTS + 8)]
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        refused = next(iter(done)).result()
        assert refused.status_code == 503
        assert "try again" in refused.json()["error"]["message"]
        model.permit(PLENTY)
        statuses = [answer.status_code for answer in await asyncio.gather(*asking)]
        assert (statuses.count(200), statuses.count(503)) == (MAX_REQUESTS, 8)


async def test_server_ends_while_it_generates(bundle: Path) -> None:
    """A client that stays is no reason to stay."""
    model = PermittedModel(counting_table())
    async with serving(settings_for(bundle), opening(model)) as client:
        asking = asyncio.create_task(client.post("/v1/completions", json={"prompt": [50], "max_tokens": 9}))
        await wait_on_loop_until(model.waiting.is_set, "the first step")
    await asyncio.wait([asking])
    assert model.stopped.is_set()
