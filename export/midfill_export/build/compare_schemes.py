"""``midfill export SOURCE --compare``: size, speed and accuracy of one model in each quantization scheme."""

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

from midfill.common.cancel import CancelFlag
from midfill.completion.engine import load_engine
from midfill.evals import suites
from midfill.inference.bundle import GRAPH
from midfill.inference.decoder import PREFILL_CHUNK
from midfill.inference.onnx_model import OnnxModel
from midfill.settings.schema import Settings
from midfill_export.build import verify
from midfill_export.build.bundle import calibrate, measure_agreement, verification_samples, write_int8
from midfill_export.build.bundle_folder import complete_bundle, folder_size, scratch_beside
from midfill_export.build.from_checkpoint import TracedModel, trace_checkpoint
from midfill_export.build.progress import OnStage
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.quantization.calibrate import Moments
from midfill_export.quantization.quantize import Recipe

PREFILL_TOKENS, CONTEXT_TOKENS, DECODED_TOKENS, ROUNDS = 1024, 256, 16, 3
SUITE = "humaneval-single"


@dataclass(frozen=True)
class Measured:
    """A traced model, with what all schemes need of it."""

    traced: TracedModel
    moments: Moments
    samples: list[verify.Sample]
    reference: list[verify.Logits]
    """The FP32 graph's logits of ``samples``."""


@dataclass(frozen=True)
class Scheme:
    """One way to write a model's graph."""

    name: str
    write: Callable[[Measured, Path], None]
    """Writes the graph of the model to the path, its weights beside it."""


@dataclass
class Row:
    """What was measured of one scheme."""

    scheme: str
    bytes: int
    """Of the graph and its weights."""
    top1: float
    """Share of positions with the same most likely token as in FP32."""
    mean_kl: float
    """Mean KL divergence from FP32, in nats."""
    passed: float | None = None
    """Share of the evaluation's tasks whose program passes; None when the evaluation was not run."""
    prefill: list[float] = field(default_factory=list)
    """Tokens a second while a prompt of ``PREFILL_TOKENS`` is prefilled, one figure for each round."""
    decode: list[float] = field(default_factory=list)
    """Tokens a second, decoded one at a time after ``CONTEXT_TOKENS``, one figure for each round."""


def compare_schemes(source: str, out: Path, tasks: int, progress: OnStage) -> list[Row]:
    """Write ``source`` in every scheme and measure it; all files are removed afterwards.

    Args:
        source: A GGUF file, a checkpoint folder or a hub id.
        out: The files are written beside this path; it is not written itself.
        tasks: How many tasks of the evaluation, spread over all; 0 for none.
        progress: Called with a line after each stage.

    Raises:
        SourceError, ExportError: as :func:`midfill_export.build.from_checkpoint.bundle_from_checkpoint`.
    """
    checkpoint = open_checkpoint(source)
    with scratch_beside(out) as scratch:
        model = _measure_float(trace_checkpoint(checkpoint, scratch, progress), progress)
        description = model.traced.description
        rows, folders = [], []
        for number, scheme in enumerate(SCHEMES):
            folder = scratch / str(number)
            folder.mkdir()
            scheme.write(model, folder / GRAPH)
            rows.append(_measure_quality(model, scheme.name, folder, tasks))
            folders.append(folder)
            progress(f"{scheme.name}: agreement {rows[-1].top1:.4f}")
        ids = [token for sample in model.samples for token in sample.ids]
        ids = ids[: min(PREFILL_TOKENS, description.context_length // 2)]
        for turn in range(ROUNDS):  # each round measures all schemes, because the machine's speed may drift
            for row, folder in zip(rows, folders, strict=True):
                prefill, decode = _speeds(OnnxModel(folder / GRAPH, description.kv), ids)
                row.prefill.append(prefill)
                row.decode.append(decode)
                gc.collect()
            progress(f"speed: round {turn + 1} of {ROUNDS}")
    return rows


def to_text(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    columns = f"prefill {PREFILL_TOKENS:,} | decode at {CONTEXT_TOKENS}"
    head = f"| scheme | MB | top-1 agreement | mean KL | {SUITE} | {columns} |"
    lines = [head, "|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        passed = "" if row.passed is None else f"{row.passed:.1%}"
        speeds = " | ".join(f"{statistics.median(speed):.0f} tokens/s" for speed in (row.prefill, row.decode))
        lines.append(
            f"| {row.scheme} | {row.bytes / 1e6:.0f} | {row.top1:.4f} | {row.mean_kl:.4f} | {passed} | {speeds} |"
        )
    return "\n".join(lines)


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what JSON can hold."""
    return [asdict(row) for row in rows]


def _measure_float(traced: TracedModel, progress: OnStage) -> Measured:
    samples = verification_samples(traced.description)
    return Measured(traced, calibrate(traced, progress), samples, traced.logits(samples))


def _measure_quality(model: Measured, name: str, folder: Path, tasks: int) -> Row:
    description = model.traced.description
    agreement = measure_agreement(model.reference, folder, description, model.samples)
    row = Row(name, folder_size(folder), agreement.top1, agreement.mean_kl)
    if tasks:
        complete_bundle(description, folder, {"scheme": name}, model.traced.difference, agreement)
        engine = load_engine(Settings(bundle=folder))
        report = suites.run(
            SUITE, lambda request: engine.complete(request, CancelFlag()), tasks, lambda *_: None, spread_out=True
        )
        row.passed = report.passed.value
    gc.collect()
    return row


def _speeds(model: OnnxModel, ids: Sequence[int]) -> tuple[float, float]:
    """Return the tokens a second of a prefill, and of decoding one token at a time."""
    cache = model.new_cache(len(ids))

    def step(start: int, end: int) -> None:
        model.step(ids[start:end], cache, 1, CancelFlag())

    context = min(CONTEXT_TOKENS, len(ids) - DECODED_TOKENS)
    step(0, context)  # the first step of a session is slower
    started = time.perf_counter()
    for place in range(context, context + DECODED_TOKENS):
        step(place, place + 1)
    decode = DECODED_TOKENS / (time.perf_counter() - started)
    cache.truncate(0)
    started = time.perf_counter()
    for place in range(0, len(ids), PREFILL_CHUNK):
        step(place, min(place + PREFILL_CHUNK, len(ids)))
    return len(ids) / (time.perf_counter() - started), decode


def _keep_float(model: Measured, path: Path) -> None:
    for file in (model.traced.path, model.traced.path.with_name(f"{GRAPH}.data")):
        shutil.copyfile(file, path.parent / file.name)  # copied, because onnx refuses weights behind links


def _per_row(**options: Any) -> Callable[[Measured, Path], None]:
    def write(model: Measured, path: Path) -> None:
        moments = Moments(dict(model.moments.covariances), model.moments.squares)  # a copy, because it is emptied
        write_int8(model.traced, Recipe(**options), moments, path)

    return write


def _per_tensor(model: Measured, path: Path) -> None:
    """Write what onnxruntime's own tool makes: one scale for a whole activation."""
    quantize_dynamic(
        model.traced.path,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _in_blocks(bits: int) -> Callable[[Measured, Path], None]:
    """Write ``MatMulNBits``: weights in blocks of 32, activations rounded to 8 bits inside the operator."""

    def write(model: Measured, path: Path) -> None:
        quantizer = MatMulNBitsQuantizer(
            onnx.load(model.traced.path), bits=bits, block_size=32, is_symmetric=True, accuracy_level=4
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
