"""The routes, and the server that answers them."""

from __future__ import annotations

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

from midfill.api import completions
from midfill.api.errors import RequestError
from midfill.api.guard import Guard
from midfill.api.model_worker import ModelWorker
from midfill.api.responses import ClientLeft, EventStream, failure_of, read_fields, unless_left
from midfill.completion.engine import open_engine
from midfill.completion.lifecycle import Load
from midfill.inference.bundle import read_manifest
from midfill.settings.live import LiveSettings

Answer = Callable[[Request], Awaitable[Response]]

_MAX_CONNECTIONS = 128
_GRACE_SECONDS = 1
"""How long a request that runs may go on when the server ends."""


class Api:
    """Answers the requests of all clients with one model; for use on one event loop."""

    def __init__(self, settings: LiveSettings, worker: ModelWorker) -> None:
        self._settings = settings
        self._worker = worker

    def routes(self) -> list[Route]:
        """Return what is answered at which path."""
        return [
            Route("/health", _answering(self.health), methods=["GET"]),
            Route("/v1/health", _answering(self.health), methods=["GET"]),
            Route("/v1/models", _answering(self.models), methods=["GET"]),
            Route("/models", _answering(self.models), methods=["GET"]),
            Route("/v1/completions", _answering(self.completions), methods=["POST"]),
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

    async def completions(self, request: Request) -> Response:
        """Complete as OpenAI and vLLM do."""
        fields = await read_fields(request)
        self._worker.check_room()
        answer, streamed = completions.answer(fields, await self._worker.model(), self._worker)
        if streamed:
            return EventStream(answer.events(), last="[DONE]")
        return JSONResponse(await unless_left(request, answer.whole()))


def make_app(settings: LiveSettings, key: str, load: Load = open_engine) -> ASGIApp:
    """Return the application, for requests with ``key``. It loads the model with ``load`` when it is first needed."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        worker = ModelWorker(settings, load)
        app.router.routes.extend(Api(settings, worker).routes())
        yield
        worker.close()

    app = Starlette(lifespan=lifespan, exception_handlers={HTTPException: _no_such_route})
    return Guard(app, key)


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Return a server for ``app`` that logs no request."""
    config = uvicorn.Config(
        app,
        http="h11",
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


def _answering(answer: Answer) -> Answer:
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
