"""Measures how long a failing server keeps a request from the model on this machine.

usage: PYTHONPATH=tests python -m remote.switch_times

For each fault, a server over loopback and a client of its own, several times. The local model is so small that it takes
no time of its own. The time is that from a request to the first token of the local model: of the first request that
meets the fault, and of the next one.
"""

from __future__ import annotations

import logging
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import numpy as np
import trustme

from midfill.common.cancel import CancelFlag
from midfill.inference.token_generator import GenerationRequest, TokenGenerator
from midfill.remote.address import parse
from midfill.remote.remote_model import RemoteModel
from midfill.remote.server import Access, Server
from midfill.settings.schema import Settings
from unit.helpers import MarkovModel, encode, loaded_model, manifest, model_tokenizer
from unit.remote.model_server import ModelServer, serving

_ROUNDS = 10
_KEY, _VALUE = "MIDFILL_ENGINE_KEY", "the-key-of-the-server"


@dataclass(frozen=True)
class Fault:
    """What goes wrong."""

    name: str
    happen: Callable[[ModelServer], None]
    """Makes it happen to a server that has answered well."""
    is_new: bool = False
    """Whether the server was like that from the start."""
    is_encrypted: bool = False


def _slow(served: ModelServer) -> None:
    served.fault = "waits"


def _other_key(served: ModelServer) -> None:
    served.key = "another key"


def _other_model(served: ModelServer) -> None:
    served.name = "another"


FAULTS = (
    Fault("server killed", lambda served: served.stop()),
    Fault("slow", _slow),
    Fault("wrong key", _other_key),
    Fault("wrong certificate", lambda _: None, is_new=True, is_encrypted=True),
    Fault("wrong model", _other_model, is_new=True),
)


def main() -> int:
    """Print a line for each fault; return 1 if one takes longer than the time limit and a little."""
    logging.disable()  # each fault has its line, ten times
    limit = Settings().engine_timeout_ms
    sys.stdout.write(f"{_ROUNDS} times each, time limit {limit} ms, in milliseconds\n\n")
    heads = f"{'median':>11}{'longest':>11}"
    sys.stdout.write(f"{'':<18}{'first request':>22}{'next request':>22}\n{'':<18}{heads}{heads}\n")
    longest = 0.0
    for fault in FAULTS:
        times = [_measure(fault, limit / 1000) for _ in range(_ROUNDS)]
        columns = [of(column) for column in zip(*times, strict=True) for of in (statistics.median, max)]
        sys.stdout.write(f"{fault.name:<18}" + "".join(f"{each:>11.1f}" for each in columns) + "\n")
        longest = max(longest, *columns)
    sys.stdout.write(f"\nThe longest took {longest:.0f} ms.\n")
    return int(longest > 300)


def _measure(fault: Fault, timeout: float) -> tuple[float, float]:
    """Return the milliseconds of two requests to a server with a fault."""
    size = manifest().vocabulary
    table = np.random.default_rng(1).normal(0, 3, (size, size)).astype(np.float32)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if fault.is_encrypted else None
    if context is not None:
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        serving(ModelServer(table, key=_VALUE), context) as served,
        mock.patch.dict("os.environ", {_KEY: _VALUE}),
    ):
        if fault.is_new:
            fault.happen(served)
        access = Access(address=parse(served.url), model="tiny")
        local = loaded_model(MarkovModel(table))
        model = RemoteModel(manifest(), model_tokenizer(), Server(access, model_tokenizer()), timeout, local)
        made = model.new_generator(context=512, cache_bytes=1 << 20, max_draft_tokens=0)
        if not fault.is_new:
            assert not _first_token(made)[1], "the server has not answered"
            fault.happen(served)
        (first, by_local), (then, by_local_again) = _first_token(made), _first_token(made)
        assert by_local, "the model on this machine has not answered"
        assert by_local_again, "the model on this machine has not answered"
        return 1000 * first, 1000 * then


def _first_token(made: TokenGenerator) -> tuple[float, bool]:
    """Ask for a token; return how many seconds it took, and whether the model on this machine made it."""
    request = GenerationRequest(prompt=encode("def add(left"), max_tokens=1, stop_tokens=())
    stream = made.generate(request, CancelFlag())
    begun = time.perf_counter()
    next(stream)
    return time.perf_counter() - begun, bool(stream.stats.model)


if __name__ == "__main__":
    sys.exit(main())
