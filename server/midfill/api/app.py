"""The routes, and the server that answers them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from midfill import __version__
from midfill.api import completions
from midfill.api.answer import Answer
from midfill.api.bounded_protocol import BoundedProtocol
from midfill.api.completions import ContinuedCompletion
from midfill.api.errors import RequestError
from midfill.api.fields import Fields
from midfill.api.fill import GapFiller
from midfill.api.filled_completion import FilledCompletion
from midfill.api.gap_fields import gap_in_completion, gap_in_infill
from midfill.api.guard import Guard
from midfill.api.infill import Infill
from midfill.api.llama_completion import LlamaCompletion
from midfill.api.metered_model import MeteredModel
from midfill.api.metrics import CONTENT_TYPE, Metrics
from midfill.api.model_worker import ModelWorker
from midfill.api.responses import ClientLeft, EventStream, failure_of, read_fields, unless_left
from midfill.completion.engine import CompletionEngine
from midfill.engine.open_model import open_model
from midfill.inference.bundle import read_manifest
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings

Open = Callable[[Settings, OnLoading], LanguageModel]
Endpoint = Callable[[Request], Awaitable[Response]]

_MAX_CONNECTIONS = 128
_GRACE_SECONDS = 1
"""How long a request that runs may go on when the server ends."""


class Api:
    """Answers the requests of all clients with one model; for use on one event loop."""

    def __init__(self, settings: LiveSettings, worker: ModelWorker) -> None:
        self._settings = settings
        self._worker = worker
        self._filler = GapFiller(worker, settings)

    def close(self) -> None:
        """Stop everything."""
        self._filler.close()
        self._worker.close()

    def routes(self) -> list[Route]:
        """Return what is answered at which path."""
        return [
            Route("/health", _answering(self.health), methods=["GET"]),
            Route("/v1/health", _answering(self.health), methods=["GET"]),
            Route("/v1/models", _answering(self.models), methods=["GET"]),
            Route("/models", _answering(self.models), methods=["GET"]),
            Route("/props", _answering(self.props), methods=["GET"]),
            Route("/v1/completions", _answering(self.completions), methods=["POST"]),
            Route("/completion", _answering(self.completion), methods=["POST"]),
            Route("/infill", _answering(self.infill), methods=["POST"]),
            Route("/metrics", _answering(self.metrics), methods=["GET"]),
            Route("/tokenize", _answering(self.tokenize), methods=["POST"]),
            Route("/detokenize", _answering(self.detokenize), methods=["POST"]),
            Route("/v1/chat/completions", _answering(self.chat), methods=["POST"]),
        ]

    async def health(self, _request: Request) -> Response:
        """Say that the server runs."""
        return JSONResponse({"status": "ok"})

    async def models(self, _request: Request) -> Response:
        """Name the model, and how many tokens a prompt and its answer may have together."""
        manifest = read_manifest(self._settings.now.bundle)
        model = {
            "id": manifest.name,
            "object": "model",
            "created": 0,
            "owned_by": "midfill",
            "max_model_len": manifest.usable_context,
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def props(self, _request: Request) -> Response:
        """Tell a client of llama-server what there is."""
        manifest = read_manifest(self._settings.now.bundle)
        return JSONResponse(
            {
                "default_generation_settings": {"n_ctx": manifest.usable_context},
                "total_slots": 1,
                "model_alias": manifest.name,
                "build_info": f"midfill {__version__}",
            }
        )

    async def metrics(self, _request: Request) -> Response:
        """Say what was counted since the start."""
        return Response(self._worker.metrics_text(), media_type=CONTENT_TYPE)

    async def completions(self, request: Request) -> Response:
        """Complete as OpenAI and vLLM do."""

        def read(fields: Fields, model: LanguageModel) -> Answer:
            completions.check_supported(fields)
            gap = gap_in_completion(fields, model.manifest)
            if gap is not None:
                return FilledCompletion(fields, gap, self._filler, model.manifest.name)
            return ContinuedCompletion(*completions.read(fields, model), self._worker, model)

        return await self._answer(request, read)

    async def completion(self, request: Request) -> Response:
        """Complete as llama-server does."""

        def read(fields: Fields, model: LanguageModel) -> Answer:
            gap = gap_in_completion(fields, model.manifest)
            if gap is not None:
                return Infill(fields, gap, self._filler, model.manifest.name)
            return LlamaCompletion(fields, model, self._worker)

        return await self._answer(request, read)

    async def infill(self, request: Request) -> Response:
        """Fill a gap as llama-server does."""

        def read(fields: Fields, model: LanguageModel) -> Answer:
            return Infill(fields, gap_in_infill(fields), self._filler, model.manifest.name)

        return await self._answer(request, read)

    async def tokenize(self, request: Request) -> Response:
        """Return the token ids of a text, in which control tokens stay text."""
        fields = await read_fields(request)
        text = fields.text("content" if fields.get("prompt") is None else "prompt")
        model = await self._worker.model()
        ids = await asyncio.to_thread(model.tokenizer.encode, text)
        return JSONResponse({"tokens": ids, "count": len(ids), "max_model_len": model.manifest.usable_context})

    async def detokenize(self, request: Request) -> Response:
        """Return the text of token ids."""
        fields = await read_fields(request)
        model = await self._worker.model()
        ids = fields.ids("tokens", model.manifest.vocabulary, model.manifest.context_length)
        text = await asyncio.to_thread(model.tokenizer.spell, ids)
        return JSONResponse({"content": text, "prompt": text})

    async def chat(self, _request: Request) -> Response:
        """Say that there is no chat."""
        raise RequestError(501, "`midfill api` completes code and does not chat: use /v1/completions or /infill.")

    async def _answer(self, request: Request, read: Callable[[Fields, LanguageModel], Answer]) -> Response:
        """Answer a request that ``read`` understands."""
        fields = await read_fields(request)
        self._worker.check_room()
        model = await self._worker.model()
        answer = await asyncio.to_thread(read, fields, model)  # the tokens of a long text take seconds
        if answer.streamed:
            return EventStream(answer.events(), answer.last_event)
        return JSONResponse(await unless_left(request, answer.whole()))


def make_app(settings: LiveSettings, key: str, open_model: Open = open_model) -> ASGIApp:
    """Return the application, for requests with ``key``. Its model is what ``open_model`` returns."""
    metrics = Metrics()

    def load(settings: LiveSettings, on_loading: OnLoading) -> CompletionEngine:
        return CompletionEngine(MeteredModel(open_model(settings.now, on_loading), metrics), settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        worker = ModelWorker(settings, load, metrics)
        worker.begin()
        api = Api(settings, worker)
        app.router.routes.extend(api.routes())
        yield
        api.close()

    app = Starlette(lifespan=lifespan, exception_handlers={HTTPException: _no_such_route})
    return Guard(app, key)


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server for ``app`` that logs no request."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def _answering(answer: Endpoint) -> Endpoint:
    """Turn what ``answer`` raises into the dialects' errors."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientLeft:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            return failure_of(error).to_response()

    return endpoint


async def _no_such_route(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return RequestError(405, f"{request.method} is not possible here.").to_response()
    return RequestError(404, "Midfill has no such path; docs/api.md lists those that it has.").to_response()
