"""The weights of a graph, made of tensors of a GGUF; each is read and dequantized when it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill.common.errors import ExportError
from midfill_export.loaders.gguf_file import GgufFile, GgufTensor

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """The tensor of one product, which may be packed with others into one weight."""

    name: str
    """Without ".weight" and ".bias"."""
    outputs: int
    order: NDArray[np.intp] | None = None
    """The order of the outputs in the graph; None for the file's."""


class GgufWeights:
    """Tensors of a GGUF as weights of a graph, and which of them are used."""

    def __init__(self, gguf: GgufFile) -> None:
        self._gguf = gguf
        self._unused = dict.fromkeys(gguf.tensors)

    def has(self, name: str) -> bool:
        """Tell whether there is a tensor."""
        return name in self._gguf.tensors

    def vector(self, name: str, size: int) -> Matrix:
        """Return a tensor (size,).

        Raises:
            ExportError: there is none of this size.
        """
        vector: Matrix = self._tensor(name, (size,)).read_rows(0, 1)[0]
        return vector

    def bias(self, parts: Sequence[Part], factor: float = 1.0) -> Matrix | None:
        """Return the biases of some products one after the other, zeros where one has none; None if none has any."""
        if not any(self.has(f"{part.name}.bias") for part in parts):
            return None
        biases = [
            self.vector(f"{part.name}.bias", part.outputs)
            if self.has(f"{part.name}.bias")
            else np.zeros(part.outputs, np.float32)
            for part in parts
        ]
        sorted_ = [bias if part.order is None else bias[part.order] for bias, part in zip(biases, parts, strict=True)]
        joint: Matrix = np.concatenate(sorted_) * np.float32(factor)
        return joint

    def product(self, name: str, parts: Sequence[Part], inputs: int, factor: float = 1.0) -> ir.LazyTensor:
        """Return the weight (inputs, outputs) of some products side by side.

        Raises:
            ExportError: a tensor is missing, or has another size.
        """
        tensors = [self._tensor(f"{part.name}.weight", (part.outputs, inputs)) for part in parts]
        shape = (inputs, sum(part.outputs for part in parts))

        def read() -> ir.TensorProtocol:
            joint = np.empty(shape, np.float32)
            column = 0
            for tensor, part in zip(tensors, parts, strict=True):
                place = joint[:, column : column + part.outputs]
                column += part.outputs
                for rows, real in tensor.in_parts():
                    place[:, rows] = real.T
                if part.order is not None:
                    place[:] = place[:, part.order]
            if factor != 1:
                joint *= np.float32(factor)
            return ir.tensor(joint)

        return _lazy(read, shape, name)

    def table(self, name: str, tensor_name: str, rows: int, width: int, factor: float = 1.0) -> ir.LazyTensor:
        """Return a tensor (rows, width) as it is.

        Raises:
            ExportError: it is missing, or has another size.
        """
        tensor = self._tensor(tensor_name, (rows, width))

        def read() -> ir.TensorProtocol:
            table = np.empty((rows, width), np.float32)
            for part, real in tensor.in_parts():
                table[part] = real
            if factor != 1:
                table *= np.float32(factor)
            return ir.tensor(table)

        return _lazy(read, (rows, width), name)

    def outputs_of(self, name: str) -> int:
        """Return the number of outputs of a product.

        Raises:
            ExportError: its tensor is missing.
        """
        tensor = self._gguf.tensors.get(f"{name}.weight")
        if tensor is None:
            raise self._misses(f"{name}.weight")
        return tensor.shape[0]

    def require_all_used(self, besides: Sequence[str]) -> None:
        """Refuse a file with tensors that no weight was made of: its model computes something else.

        Raises:
            ExportError: there are some.
        """
        unknown = [name for name in self._unused if name not in besides]
        if unknown:
            raise ExportError(
                f"{self._gguf.path.name} has tensors that its architecture does not have here ({unknown[0]}, "
                f"{len(unknown)} in all): Midfill cannot run this model."
            )

    def _tensor(self, name: str, shape: tuple[int, ...]) -> GgufTensor:
        tensor = self._gguf.tensors.get(name)
        if tensor is None or tensor.shape != shape:
            raise self._misses(f"{name} for {shape}" if tensor is not None else name)
        self._unused.pop(name, None)
        return tensor

    def _misses(self, what: str) -> ExportError:
        return ExportError(f"{self._gguf.path.name} does not fit its architecture: it has no {what}.")


def _lazy(read: Callable[[], ir.TensorProtocol], shape: tuple[int, ...], name: str) -> ir.LazyTensor:
    return ir.LazyTensor(read, dtype=ir.DataType.FLOAT, shape=ir.Shape(shape), name=name)
