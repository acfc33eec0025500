"""A template: the FP32 graph of a model without its weights. It is made once, with torch, and filled from a GGUF.

A template is an optimized ONNX graph (:mod:`midfill_export.graph.optimize`) whose weights are inputs. The metadata of
each such input names the tensors of a GGUF that it is made of. The tables of RoPE are computed from a few numbers, and
small constants stay as they are. A filled template is the original graph, to the bit.

A template also fits a model of the same sizes with another vocabulary. As ggml has it, a model without a tensor for its
output has that of its embedding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill.common.errors import ExportError
from midfill_export.graph.nodes import tensor_of
from midfill_export.graph.packed_attention import COS, SIN, Rotary
from midfill_export.loaders.gguf_file import GgufFile, GgufTensor

_ORIGIN, _ROTARY, _DIFFERENCE = "midfill.gguf", "midfill.rotary", "midfill.difference"
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"
"""The tensors with a row for each token."""
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Origin:
    """Which tensors of a GGUF an initializer is made of."""

    tensors: list[str]
    """Names, concatenated along the last axis."""
    transposed: bool
    """Whether each tensor is transposed first."""


def empty(model: ir.Model, rotary: Rotary, gguf: GgufFile) -> None:
    """Take the weights out of ``model``, in place.

    Args:
        model: An optimized graph of the model in ``gguf``.
        rotary: The RoPE of all its layers.
        gguf: The file that the template will be filled from.

    Raises:
        ExportError: some weights are not made of tensors of the GGUF.
    """
    first_rows = {name: tensor.read_rows(0, 1)[0] for name, tensor in gguf.tensors.items()}
    for name, value in list(model.graph.initializers.items()):
        tensor = tensor_of(value)
        if tensor.dtype != ir.DataType.FLOAT or tensor.size == 1:
            continue
        if name not in (COS, SIN):
            origin = _find_origin(tensor.numpy(), gguf, first_rows)
            if origin is None:
                raise ExportError(f"{name} is not made of tensors of {gguf.path.name}: no template can be made.")
            value.metadata_props[_ORIGIN] = json.dumps([origin.tensors, origin.transposed])
        del model.graph.initializers[name]
        value.const_value = None
        model.graph.inputs.append(value)
    model.metadata_props[_ROTARY] = json.dumps([rotary.frequencies.tolist(), rotary.scaling, rotary.positions])


def save(model: ir.Model, difference: float, path: Path) -> None:
    """Write a template, with the largest difference of a logit between it, when it is filled, and the checkpoint."""
    model.metadata_props[_DIFFERENCE] = repr(difference)
    path.parent.mkdir(parents=True, exist_ok=True)
    ir.save(model, path)


def difference_of(template: Path) -> float:
    """Return the largest difference of a logit between the filled template and the checkpoint."""
    return float(ir.load(template).metadata_props[_DIFFERENCE])


def fill(template: Path, gguf: GgufFile) -> ir.Model:
    """Return the FP32 graph of a GGUF; each weight is read when it is used.

    Raises:
        ExportError: the template cannot be read, or a tensor that it needs is not in the GGUF, or the GGUF's RoPE is
            another one.
        SourceError: the GGUF's metadata is of another kind.
    """
    try:
        model = ir.load(template)
        del model.metadata_props[_DIFFERENCE]
        frequencies, scaling, positions = json.loads(model.metadata_props.pop(_ROTARY))
    except (OSError, KeyError, ValueError) as error:
        raise ExportError(f"{template} is not a template made by Midfill ({type(error).__name__}).") from error
    rotary = Rotary(np.array(frequencies, np.float32), scaling, positions)
    _require_same_rope(rotary, gguf)
    tables = dict(zip((COS, SIN), rotary.tables(), strict=True))
    for value in list(model.graph.inputs):
        if value.name in tables:
            tensor: ir.TensorProtocol = ir.tensor(tables[value.name], name=value.name)
        elif _ORIGIN in value.metadata_props:
            tensor = _lazy(value, Origin(*json.loads(value.metadata_props.pop(_ORIGIN))), gguf)
        else:
            continue
        model.graph.inputs.remove(value)
        value.const_value = tensor
        model.graph.register_initializer(value)
    return model


def positions_of(template: Path) -> int:
    """Return the number of positions, the maximum context length."""
    _frequencies, _scaling, positions = json.loads(ir.load(template).metadata_props[_ROTARY])
    return int(positions)


def _require_same_rope(rotary: Rotary, gguf: GgufFile) -> None:
    """Refuse a GGUF whose RoPE has another base than the template's, where that has one."""
    declared = gguf.fields.get(f"{gguf.text('general.architecture')}.rope.freq_base")
    steps = np.arange(rotary.pairs) / rotary.pairs
    base = float(rotary.frequencies[1]) ** -rotary.pairs if rotary.pairs > 1 else 1.0
    is_plain = np.allclose(rotary.frequencies, base**-steps, rtol=1e-3)
    if is_plain and isinstance(declared, float) and not np.isclose(declared, base, rtol=1e-2):
        raise ExportError(
            f"{gguf.path.name} does not fit its template, made of another model: the base of its RoPE is {declared:g}, "
            f"not {base:g}."
        )


def _lazy(value: ir.Value, origin: Origin, gguf: GgufFile) -> ir.LazyTensor:
    is_by_token = origin.tensors in ([_EMBEDDING], [_OUTPUT])
    if is_by_token and origin.transposed:  # the last product; the embedding's rows are looked up as they are
        origin = Origin([_OUTPUT if _OUTPUT in gguf.tensors else _EMBEDDING], transposed=True)
    missing = [name for name in origin.tensors if name not in gguf.tensors]
    parts = [gguf.tensors[name] for name in origin.tensors if name in gguf.tensors]
    assert value.shape is not None
    shape = value.shape.numpy()
    if is_by_token:
        tokens = len(gguf.texts("tokenizer.ggml.tokens"))
        shape = (*shape[:-1], tokens) if origin.transposed else (tokens, *shape[1:])
        value.shape = ir.Shape(shape)
    if missing or _joint_shape(parts, origin.transposed) != shape:
        needed = missing[0] if missing else f"{', '.join(origin.tensors)} for {shape}"
        raise ExportError(f"{gguf.path.name} does not fit its template, made of another model: it has no {needed}.")
    return ir.LazyTensor(
        lambda: ir.tensor(_join(parts, shape, origin.transposed)),
        dtype=ir.DataType.FLOAT,
        shape=ir.Shape(shape),
        name=value.name,
    )


def _joint_shape(parts: list[GgufTensor], transposed: bool) -> tuple[int, ...]:
    shapes = [_oriented(part, transposed) for part in parts]
    return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


def _oriented(tensor: GgufTensor, transposed: bool) -> tuple[int, ...]:
    return tensor.shape[::-1] if transposed else tensor.shape


def _join(parts: list[GgufTensor], shape: tuple[int, ...], transposed: bool) -> Matrix:
    """Read tensors into one array, concatenated along the last axis, without a second array of that size."""
    joint = np.empty(shape, np.float32)
    column = 0
    for part in parts:
        width = _oriented(part, transposed)[-1]
        place = joint[..., column : column + width]
        column += width
        for rows, real in part.in_parts():
            if transposed:
                place[:, rows] = real.T
            elif place.ndim == 1:
                place[:] = real[0]
            else:
                place[rows] = real
    return joint


def _find_origin(array: Matrix, gguf: GgufFile, first_rows: dict[str, Matrix]) -> Origin | None:
    """Return the tensors that ``array`` is made of, found by comparing values."""
    for transposed in (True, False) if array.ndim == 2 else (False,):
        names = list(_concatenated(array, transposed, gguf, first_rows))
        if names and None not in names:
            return Origin([name for name in names if name is not None], transposed)
    return None


def _concatenated(
    array: Matrix, transposed: bool, gguf: GgufFile, first_rows: dict[str, Matrix]
) -> Iterator[str | None]:
    """Yield the name of each tensor from the first column on, and None at the first column that no tensor fits."""
    column = 0
    while column < array.shape[-1]:
        rest = array[..., column:]
        name = next(
            (name for name in gguf.tensors if _begins_with(rest, gguf.tensors[name], transposed, first_rows)), None
        )
        yield name
        if name is None:
            return
        column += _oriented(gguf.tensors[name], transposed)[-1]


def _begins_with(rest: Matrix, tensor: GgufTensor, transposed: bool, first_rows: dict[str, Matrix]) -> bool:
    shape = _oriented(tensor, transposed)
    if len(shape) != rest.ndim or shape[:-1] != rest.shape[:-1] or shape[-1] > rest.shape[-1]:
        return False
    start = rest[..., : shape[-1]]
    first = start[:, 0] if transposed else start if start.ndim == 1 else start[0]
    return np.array_equal(first, first_rows[tensor.name]) and np.array_equal(start, _join([tensor], shape, transposed))
