"""The model of a server, as all other parts use it, with the manifest and the tokenizer of a bundle."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache

from midfill.common.errors import RemoteUnavailable
from midfill.inference.bundle import Manifest
from midfill.inference.preemption import Steps
from midfill.inference.token_generator import NO_METER, LanguageModel, PrefillMeter, TokenGenerator
from midfill.inference.tokenizer import ModelTokenizer
from midfill.remote.remote_generator import RemoteGenerator
from midfill.remote.server import Server

_ALONE_SECONDS, _ACTION_SECONDS = 10.0, 60.0
"""How long a server may take for a token of a suggestion if no other model goes on, and for one of an action."""
_START_SECONDS = 3.0
"""How long a server may take to say what it is, when the model is opened."""


class RemoteModel:
    """The model of a server: a :class:`midfill.inference.token_generator.LanguageModel`."""

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: ModelTokenizer,
        server: Server,
        timeout: float,
        local: LanguageModel | None = None,
    ) -> None:
        """Ask ``server`` what it is, and wait a moment for the answer.

        Args:
            manifest: what is known about the model, but for its name and the length of its context.
            tokenizer: the tokenizer of the server's model.
            server: the server. It may be away.
            timeout: seconds to wait for each token of a suggestion before ``local`` goes on.
            local: a model on this machine with the same tokens.
        """
        self.tokenizer = tokenizer
        self.server = server
        self.local = local
        self._timeout = timeout
        self._context = manifest.context_length
        self._manifest = manifest
        with suppress(RemoteUnavailable):  # it was logged, and each request says it again
            found, _ = server.ready(_START_SECONDS)
            self._context = min(found.context or self._context, self._context)

    @property
    def manifest(self) -> Manifest:
        """See :attr:`midfill.inference.token_generator.LanguageModel.manifest`."""
        found = self.server.found
        name = found.model if found and found.model else self._manifest.name
        return replace(self._manifest, name=f"{name} on {self.server}", context_length=self._context)

    @property
    def speed_key(self) -> str:
        """See :attr:`midfill.inference.token_generator.LanguageModel.speed_key`."""
        return f"{self._manifest.name} on {self.server}"

    def new_generator(
        self,
        *,
        context: int,
        cache_bytes: int,
        max_draft_tokens: int,
        steps: Steps | None = None,
        meter: PrefillMeter = NO_METER,  # noqa: ARG002 -- a server's time depends on what others ask of it
    ) -> RemoteGenerator:
        """See :meth:`midfill.inference.token_generator.LanguageModel.new_generator`.

        A server works beside this machine. So ``steps`` only says that an action is done, which may take longer.
        """
        local = self.local
        patience = self._timeout if local else _ALONE_SECONDS
        if steps is not None:
            patience = _ACTION_SECONDS
        if local is None:
            return RemoteGenerator(self.server, self.tokenizer, self._manifest.vocabulary, patience)

        @cache
        def generator() -> TokenGenerator:
            return local.new_generator(
                context=context, cache_bytes=cache_bytes, max_draft_tokens=max_draft_tokens, steps=steps
            )

        vocabulary, name = self._manifest.vocabulary, local.manifest.name
        return RemoteGenerator(self.server, self.tokenizer, vocabulary, patience, generator, name)
