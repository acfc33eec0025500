"""``midfill export SOURCE --compare``: what each way to quantise costs and keeps, on this machine, of one model."""

from __future__ import annotations

import gc
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from midfill.evals import suites
from midfill.inference import cpu
from midfill.inference.bundle import GRAPH
from midfill.common.cancel import CancelFlag
from midfill.inference.decoder import PREFILL_CHUNK
from midfill.completion.engine import load_engine
from midfill.inference.onnx_model import OnnxModel
from midfill.settings.schema import Settings
from midfill_export.build import verify
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.build.convert import FloatModel, quantise_to, to_float
from midfill_export.build.pack import OnStage, complete_bundle, folder_size, scratch_beside
from midfill_export.quantization.quantize import Recipe

PREFILL, CONTEXT, DECODED, ROUNDS = 1024, 256, 16, 3
SUITE = "humaneval-single"


@dataclass(frozen=True)
class Scheme:
    """One way to write a model's graph."""

    name: str
    write: Callable[[FloatModel, Path], None]
    """Given the model and the path to write the graph to, its weights beside it."""


@dataclass
class Row:
    """What one scheme costs and keeps."""

    scheme: str
    bytes: int
    top1: float
    mean_kl: float
    passed: float | None = None
    """Share of the evaluation's tasks whose program passes; None when it was not run."""
    prefill: list[float] = field(default_factory=list)
    """Tokens a second of a prompt of ``PREFILL`` tokens, a figure a round."""
    decode: list[float] = field(default_factory=list)
    """Tokens a second, one at a time, after ``CONTEXT`` tokens, a figure a round."""


def compare(source: str, out: Path, tasks: int, progress: OnStage) -> list[Row]:
    """Write ``source`` in every scheme and measure it; all is scratch beside ``out``, and goes away.

    Args:
        source: As for :func:`midfill_export.build.convert.convert`.
        out: Tells the disk to work on; it is not written.
        tasks: How many tasks of the evaluation, spread over all; 0 for none.
        progress: Told a line for each stage.

    Raises:
        SourceError, ExportError: as :func:`midfill_export.build.convert.convert`.
    """
    checkpoint = open_checkpoint(source)
    with scratch_beside(out) as scratch:
        model = to_float(checkpoint, scratch, progress)
        rows, folders = [], []
        for number, scheme in enumerate(SCHEMES):
            folder = scratch / str(number)
            folder.mkdir()
            scheme.write(model, folder / GRAPH)
            rows.append(_measure_quality(model, scheme.name, folder, tasks))
            folders.append(folder)
            progress(f"{scheme.name}: agreement {rows[-1].top1:.4f}")
        ids = [token for sample in model.samples for token in sample.ids]
        ids = ids[: min(PREFILL, model.about.context_length // 2)]
        for turn in range(ROUNDS):  # all of them in each round, for the machine's speed may drift
            for row, folder in zip(rows, folders, strict=True):
                prefill, decode = _speeds(OnnxModel(folder / GRAPH, model.about.kv), ids)
                row.prefill.append(prefill)
                row.decode.append(decode)
                gc.collect()
            progress(f"speed: round {turn + 1} of {ROUNDS}")
    return rows


def to_text(rows: Sequence[Row]) -> str:
    """Lay the rows out as a Markdown table."""
    head = f"| scheme | MB | top-1 agreement | mean KL | {SUITE} | prefill {PREFILL:,} | decode at {CONTEXT} |"
    lines = [head, "|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        passed = "" if row.passed is None else f"{row.passed:.1%}"
        speeds = " | ".join(f"{statistics.median(speed):.0f} tokens/s" for speed in (row.prefill, row.decode))
        lines.append(
            f"| {row.scheme} | {row.bytes / 1e6:.0f} | {row.top1:.4f} | {row.mean_kl:.4f} | {passed} | {speeds} |"
        )
    return "\n".join(lines)


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Lay the rows out for a program."""
    return [asdict(row) for row in rows]


def _measure_quality(model: FloatModel, name: str, folder: Path, tasks: int) -> Row:
    agreement = verify.compare(
        model.reference, verify.graph_logits(OnnxModel(folder / GRAPH, model.about.kv), model.samples)
    )
    row = Row(name, folder_size(folder), agreement.top1, agreement.mean_kl)
    if tasks:
        complete_bundle(model.about, folder, {"scheme": name}, cpu.detect_target(), model.difference, agreement)
        engine = load_engine(Settings(bundle=folder))
        report = suites.run(
            SUITE, lambda request: engine.complete(request, CancelFlag()), tasks, lambda *_: None, spread_out=True
        )
        row.passed = report.passed.value
    gc.collect()
    return row


def _speeds(model: OnnxModel, ids: Sequence[int]) -> tuple[float, float]:
    """Return tokens a second of prefill and of decoding one by one."""
    cache = model.new_cache(len(ids))

    def step(start: int, end: int) -> None:
        model.step(ids[start:end], cache, 1, CancelFlag())

    context = min(CONTEXT, len(ids) - DECODED)
    step(0, context)  # the first step of a session is slower
    started = time.perf_counter()
    for place in range(context, context + DECODED):
        step(place, place + 1)
    decode = DECODED / (time.perf_counter() - started)
    cache.truncate(0)
    started = time.perf_counter()
    for place in range(0, len(ids), PREFILL_CHUNK):
        step(place, min(place + PREFILL_CHUNK, len(ids)))
    return len(ids) / (time.perf_counter() - started), decode


def _keep_float(model: FloatModel, path: Path) -> None:
    for file in (model.graph, model.graph.with_name(f"{GRAPH}.data")):
        shutil.copyfile(file, path.parent / file.name)  # onnx refuses weights behind links


def _per_row(**options: Any) -> Callable[[FloatModel, Path], None]:
    return lambda model, path: quantise_to(model, Recipe(cpu.detect_target(), **options), path)


def _per_tensor(model: FloatModel, path: Path) -> None:
    """Write what onnxruntime's own tool makes: one scale for an activation."""
    quantize_dynamic(
        model.graph,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _in_blocks(bits: int) -> Callable[[FloatModel, Path], None]:
    """Write ``MatMulNBits``: weights in blocks of 32, activations rounded to 8 bits inside the operator."""

    def write(model: FloatModel, path: Path) -> None:
        quantizer = MatMulNBitsQuantizer(
            onnx.load(model.graph), bits=bits, block_size=32, is_symmetric=True, accuracy_level=4
        )
        quantizer.process()
        quantizer.model.save_model_to_file(str(path), use_external_data_format=True)

    return write


SCHEMES = (
    Scheme("FP32", _keep_float),
    Scheme("int4 in blocks of 32", _in_blocks(4)),
    Scheme("int8 in blocks of 32", _in_blocks(8)),
    Scheme("int8, a scale per tensor", _per_tensor),
    Scheme("int8, a scale per row", _per_row(shortlist=0, hadamard_block=0, residual_block=0, balance_gated=False)),
    Scheme("the same, down_proj's input rotated", _per_row(shortlist=0, residual_block=0, balance_gated=False)),
    Scheme("the same, on principal axes, balanced", _per_row(shortlist=0)),
    Scheme("the same, lm_head in 4 bits and its likeliest 64 in 8 (Midfill's)", _per_row()),
)
