"""Says of a server where code goes, what answers there, and how fast; for `midfill doctor`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from midfill.common.cancel import CancelFlag
from midfill.common.errors import RemoteUnavailable
from midfill.inference.token_generator import GenerationRequest
from midfill.remote.destinations import destination
from midfill.remote.key import find_key
from midfill.remote.open_remote import access_of, actions_access_of, open_remote
from midfill.remote.server import Access
from midfill.settings.schema import Settings

_SAMPLE = "def add(left, right):\n    return"
_TOKENS = 4


@dataclass(frozen=True)
class Examination:
    """What was found out about a server."""

    ok: bool
    words: str
    """What was found; after a fault also what to do."""


def examine_engine(settings: Settings) -> Examination:
    """Examine the server of the setting ``engine``.

    Raises:
        BundleError: there is no tokenizer for it.
    """
    return _examine(settings, access_of(settings))


def examine_actions_engine(settings: Settings) -> Examination:
    """Examine the server of the setting ``actionsEngine``.

    Raises:
        BundleError: there is no tokenizer for it.
    """
    return _examine(settings, actions_access_of(settings))


def _examine(settings: Settings, access: Access) -> Examination:
    where = f"code goes to {access.address.base}"
    try:
        reached = destination(access.address)
        if reached != access.address:
            where += f" through the proxy {reached}, which the environment names"
        model = open_remote(settings, access, None)
        started = time.perf_counter()
        generator = model.new_generator(context=model.manifest.usable_context, cache_bytes=0, max_draft_tokens=0)
        prompt = model.tokenizer.encode(_SAMPLE)
        request = GenerationRequest(prompt=prompt, max_tokens=_TOKENS, stop_tokens=model.tokenizer.stop_tokens)
        tokens = len(list(generator.generate(request, CancelFlag())))
        took = (time.perf_counter() - started) * 1000
        found, _ = model.server.ready(0.0)
        key = find_key(access.address, access.key_variable, access.key_file)
    except RemoteUnavailable as error:
        return Examination(False, f"{where}; {error}")
    where += ", and to nothing else"
    if access.address.is_readable_on_the_way:
        where += "; everybody on the way can read it, because the address does not begin with https"
    size = f", at most {found.context:,} tokens" if found.context else ""
    name = f", model {found.model!a}" if found.model else ""
    shown = f"the key is from {key.source}" if key else "no key"
    return Examination(True, f"{where}; {found.kind}{name}{size}; {shown}; {tokens} tokens in {took:.0f} ms")
