"""Runs the whole benchmark: starts the processes, measures every figure, and returns the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from midfill.bench import keystrokes
from midfill.bench.figures import Figure, Samples, ratio_of
from midfill.bench.in_process import LoadedBundle
from midfill.bench.keystrokes import OnStage
from midfill.bench.lsp_client import LspClient
from midfill.bench.machine import Machine
from midfill.bench.plan import Plan
from midfill.bench.processes import Memory
from midfill.bench.report import BenchReport, Circumstances, load_average
from midfill.bench.scenes import scenes
from midfill.bench.sides import Sides
from midfill.common.paths import weights_dir
from midfill.inference import thread_tuning
from midfill.inference.bundle import load_bundle, read_manifest
from midfill.settings.schema import MEASURED_CONTEXT, Settings

if TYPE_CHECKING:
    from midfill.bench.peer import LlamaServer
    from midfill.bench.peer_typing import PeerTyping


@dataclass(frozen=True)
class PeerChoice:
    """The llama-server to compare with."""

    binary: Path
    model: Path | None = None
    """The GGUF file. None means the weights that the bundle was made from, in the user's cache."""


def run(
    settings: Settings, progress: OnStage = lambda _: None, plan: Plan | None = None, peer: PeerChoice | None = None
) -> BenchReport:
    """Measure everything; ``progress`` is called with the name of each stage when it begins.

    Raises:
        BundleError, ModelError: as :func:`midfill.completion.engine.load_engine`.
        BenchError: a measured process does not start, or ends early.
    """
    plan = plan or Plan()
    load = load_average()
    settings = replace(
        settings,
        threads=settings.threads or thread_tuning.chosen(load_bundle(settings.bundle)).number,
        context_tokens=settings.context_tokens or MEASURED_CONTEXT,
    )
    with ExitStack() as stack:
        progress("loading")
        server, llama, figures = _start(settings, plan, peer, stack)
        loaded = LoadedBundle(settings)
        budget = min(settings.context_tokens, loaded.bundle.manifest.usable_context - settings.max_tokens)
        peer_typing = _peer_typing(llama, Sides(loaded.tokenizer, budget), settings) if llama else None
        circumstances = Circumstances.now(loaded.bundle, settings, load, llama)
        machine = Machine(loaded, plan, llama)
        typed_scenes = scenes(plan.scenes)
        progress("prefill")
        figures += machine.prefills()
        progress("decode")
        figures += machine.decodes()
        figures += machine.drafted_decodes()
        progress("steps")
        figures += machine.steps()
        progress("first token")
        figures += machine.first_tokens(typed_scenes)
        progress("cancel")
        figures.append(machine.cancel())
        recording = keystrokes.record(typed_scenes, plan, server, loaded, peer_typing, progress)
        figures += keystrokes.figures(recording)
        progress("generation")
        figures.append(keystrokes.generation(typed_scenes, plan, loaded, peer_typing))
        figures += _memory("at the end", server, llama)
    return BenchReport(circumstances, plan, figures, recording)


def _start(
    settings: Settings, plan: Plan, peer: PeerChoice | None, stack: ExitStack
) -> tuple[LspClient, LlamaServer | None, list[Figure]]:
    """Start the processes several times, in turns, to time their loading; the last ones run until ``stack`` closes."""
    loading = Samples()
    start_peer = _peer_starter(peer, settings) if peer else None
    while True:
        server = stack.enter_context(LspClient(settings))
        loading.ours.append(server.load_seconds)
        llama = stack.enter_context(start_peer()) if start_peer else None
        if llama:
            loading.peer.append(llama.load_seconds)
        if len(loading.ours) >= plan.starts:
            return server, llama, [loading.figure("load", "s"), *_memory("after loading", server, llama)]
        stack.close()


def _peer_starter(peer: PeerChoice, settings: Settings) -> Callable[[], LlamaServer]:
    from midfill.bench.peer import LlamaServer  # noqa: PLC0415 (it uses HTTP: only a benchmark with a peer imports it)

    model = peer.model or weights_dir() / read_manifest(settings.bundle).source.file
    return partial(LlamaServer, peer.binary, model, settings.threads)


def _peer_typing(server: LlamaServer, sides: Sides, settings: Settings) -> PeerTyping:
    from midfill.bench.peer_typing import PeerTyping  # noqa: PLC0415 (it imports the HTTP client, too)

    return PeerTyping(server, sides, settings)


def _memory(when: str, server: LspClient, peer: LlamaServer | None) -> list[Figure]:
    ours, theirs = server.memory, peer.memory if peer else None

    def figure(name: str, size_of: Callable[[Memory], int]) -> Figure:
        value, peer_value = size_of(ours) / 1e6, size_of(theirs) / 1e6 if theirs else None
        return Figure(name=name, unit="MB", value=value, peer=peer_value, ratio=ratio_of(value, peer_value))

    return [
        figure(f"memory {when}", lambda memory: memory.resident),
        figure(f"memory {when}, without mapped files", lambda memory: memory.own),
    ]
