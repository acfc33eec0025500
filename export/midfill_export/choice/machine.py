"""How fast this machine reads weights and multiplies, and what room it has."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import psutil

from midfill.common.errors import BundleError
from midfill.inference import cores, thread_tuning
from midfill.inference.bundle import load_bundle
from midfill.inference.prefill_throughput import PrefillThroughput, speed_key
from midfill.inference.session_options import session_options
from midfill_export.graph.nodes import MICROSOFT, add_constant
from midfill_export.weights.known_models import WEIGHTS

_WIDTH, _COLUMNS, _PRODUCTS = 2048, 4096, 16
"""The size of the measured products, like those of a model. Together they have 134 MB, more than a cache holds."""
_ROWS = 64
_RUNS = 4
"""Number of timed runs, of which the fastest counts: the first one also reserves memory."""
_MIN_SHARE = 0.75
_TICK = 1e-3
"""Least time of a run in seconds, where the system counts the processor's time coarsely."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What matters of a machine."""

    bytes_per_second: float
    """Bytes of 8-bit weights that are read in a second, to compute one token."""
    products_per_second: float
    """Products of two numbers of 8 bits in a second, while a prompt is computed."""
    memory: int
    """Bytes of memory that are available."""
    disk: int
    """Bytes of disk that are free where bundles are."""
    how: str = ""
    """How the speed was found."""


def this_machine(bundles: Path, bundle: Path) -> Machine:
    """Measure this machine, in about a second; ``bundle`` is that of a model in use, which may know better.

    Args:
        bundles: The folder of bundles; it need not exist.
        bundle: The bundle whose speed in use was remembered, if there is one.
    """
    folder = next(parent for parent in (bundles, *bundles.parents) if parent.exists())
    threads = cores.usable().default_threads().number
    read, multiplied = _measure(threads)
    measured = Machine(
        bytes_per_second=read,
        products_per_second=multiplied,
        memory=psutil.virtual_memory().available,
        disk=shutil.disk_usage(folder).free,
        how=f"measured now, with {threads} threads",
    )
    return _as_remembered(measured, bundle)


def _as_remembered(machine: Machine, bundle: Path) -> Machine:
    """Return the machine with the speed at which prompts were computed in use, if that is known."""
    try:
        known = load_bundle(bundle)
    except BundleError:
        return machine
    threads = thread_tuning.chosen(known).number
    speed = PrefillThroughput(speed_key(known.manifest, threads)).tokens_per_second
    shape = next((weights.shape for weights in WEIGHTS.values() if weights.title == known.manifest.name), None)
    if not speed or shape is None:
        return machine
    how = f"{machine.how}; prompts as {known.manifest.name} computed them: {speed:,.0f} tokens a second"
    return replace(machine, products_per_second=speed * shape.products, how=how)


def _measure(threads: int) -> tuple[float, float]:
    """Return bytes of weights read, and products computed, in a second."""
    session = ort.InferenceSession(
        ir.to_proto(_products()).SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"]
    )
    weights = _WIDTH * _COLUMNS * _PRODUCTS
    step, prompt = (min(_timed(session, rows, threads) for _ in range(_RUNS)) for rows in (1, _ROWS))
    return weights / step, weights * _ROWS / prompt


def _timed(session: ort.InferenceSession, rows: int, threads: int) -> float:
    """Return the seconds of one run, without those in which other programs had the processor."""
    given = {"x": np.ones((rows, _WIDTH), np.uint8)}
    started, started_processor = time.perf_counter(), time.process_time()
    session.run(None, given)
    return free_seconds(time.perf_counter() - started, time.process_time() - started_processor, threads)


def free_seconds(seconds: float, processor_seconds: float, threads: int) -> float:
    """Return how long work would have taken on a free processor.

    If its threads did not get most of the time that passed, other programs ran.
    """
    share = processor_seconds / threads
    return seconds if share >= _MIN_SHARE * seconds else max(share, _TICK)


def _products() -> ir.Model:
    """Return a graph of products like a model's, all of one input."""
    graph = ir.Graph([], [], nodes=[], opset_imports={"": 18, MICROSOFT: 1}, name="products")
    x = ir.Value(name="x", shape=ir.Shape(["rows", _WIDTH]), type=ir.TensorType(ir.DataType.UINT8))
    graph.inputs.append(x)
    one = add_constant(graph, "one", np.float32(1))
    zero = add_constant(graph, "zero", np.uint8(128))
    random = np.random.default_rng(0)
    for number in range(_PRODUCTS):
        weights = add_constant(graph, f"w{number}", random.integers(-127, 128, (_WIDTH, _COLUMNS), np.int8))
        node = ir.node("MatMulIntegerToFloat", [x, weights, one, one, zero], domain=MICROSOFT)
        graph.append(node)
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        node.outputs[0].shape = ir.Shape(["rows", _COLUMNS])
        graph.outputs.append(node.outputs[0])
    return ir.Model(graph, ir_version=8)
