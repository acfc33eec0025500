"""A GGUF file: its metadata and its tensors; each tensor is dequantized when it is read.

The file may come from a stranger. So its metadata is limited, which limits the time and the memory that reading takes,
and each size and each place is compared with the file's size.

The metadata is not read by ``gguf.GGUFReader``, which makes several arrays of every string: a vocabulary and its merges
take it 8 s and half a gigabyte, and the code here a quarter of a second. The ``gguf`` package dequantizes the tensors.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, TokenType
from gguf.quants import dequantize
from numpy.typing import NDArray

from midfill.common.errors import SourceError
from midfill.common.regular_file import open_regular

Matrix = NDArray[np.float32]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_METADATA_BYTES = 1 << 27
"""Maximum size of all that is before the tensors' data. The largest known, with 262,000 tokens, has 16 MB."""
_MAX_ELEMENTS = 1 << 21
"""Maximum number of elements of all arrays together. The largest known vocabularies have 1.3 million."""
_MAX_FIELDS = _MAX_TENSORS = 1 << 16
_MAX_DIMENSIONS = 4
"""As ggml has it."""
_MAX_NUMBER = 1 << 31
"""More than any size of a model."""
_MAX_VALUES = 1 << 22
"""Most numbers dequantized at once, so that a vocabulary's rows are not in memory several times in FP32."""


@dataclass(frozen=True)
class GgufTensor:
    """One tensor, still in the file."""

    path: Path
    name: str
    shape: tuple[int, ...]
    """In torch's order: the last axis is contiguous."""
    kind: GGMLQuantizationType
    offset: int
    """Bytes from the start of the file."""

    @property
    def rows(self) -> int:
        """Number of rows of ``shape[-1]`` numbers."""
        return math.prod(self.shape[:-1])

    @property
    def row_bytes(self) -> int:
        """Number of bytes of a row in the file."""
        block, size = GGML_QUANT_SIZES[self.kind]
        return self.shape[-1] // int(block) * int(size)

    def read_rows(self, start: int, stop: int) -> Matrix:
        """Return rows (stop - start, width) in FP32."""
        count = (stop - start) * self.row_bytes
        stored = np.fromfile(self.path, np.uint8, count, offset=self.offset + start * self.row_bytes)
        real: Matrix = dequantize(stored.reshape(stop - start, self.row_bytes), self.kind)
        return real

    def in_parts(self) -> Iterator[tuple[slice, Matrix]]:
        """Yield all rows, some at a time, with their range."""
        step = max(1, _MAX_VALUES // self.shape[-1])
        for start in range(0, self.rows, step):
            stop = min(start + step, self.rows)
            yield slice(start, stop), self.read_rows(start, stop)


@dataclass(frozen=True)
class GgufFile:
    """A GGUF file's metadata and tensors, by name."""

    path: Path
    fields: dict[str, Any]
    tensors: dict[str, GgufTensor]

    def text(self, key: str) -> str | None:
        """Return a text field; None if there is none."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int:
        """Return an integer field, which is at least 1.

        Raises:
            SourceError: there is none.
        """
        value = self.fields.get(key)
        if type(value) is not int or not 0 < value < _MAX_NUMBER:
            raise SourceError(f"{self.path} has no number {key} in its metadata: it cannot be used.")
        return value

    def texts(self, key: str) -> list[str]:
        """Return the texts of an array; none if there is no such field.

        Raises:
            SourceError: the field is something else.
        """
        value = self.fields.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise SourceError(f"{self.path} has no texts {key} in its metadata: it cannot be used.")
        return value

    def control_tokens(self) -> list[str]:
        """Return all tokens marked as control or user-defined; each is one token wherever it occurs in a text."""
        return self.tokens_of(TokenType.CONTROL, TokenType.USER_DEFINED)

    def tokens_of(self, *wanted: TokenType) -> list[str]:
        """Return all tokens of some kinds."""
        kinds = self.fields.get("tokenizer.ggml.token_type")
        return [
            token
            for token, kind in zip(
                self.texts("tokenizer.ggml.tokens"), kinds if isinstance(kinds, list) else (), strict=False
            )
            if kind in wanted
        ]


def is_gguf(path: Path) -> bool:
    """Tell whether a file begins as a GGUF does."""
    with open_regular(path) as file:
        return file.read(len(_MAGIC)) == _MAGIC


def open_gguf(path: Path) -> GgufFile:
    """Read the metadata of a GGUF file.

    Raises:
        SourceError: the file is damaged, cut short, of an unknown version, or beyond the limits here.
    """
    try:
        with open_regular(path) as file:
            return _Reader(file).read(path)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError, OSError) as error:
        raise SourceError(f"{path} cannot be read as GGUF: it is damaged or cut short; get it again.") from error


class _Reader:
    """Reads little-endian values one after the other; raises ValueError if the file ends too soon."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._bytes_left = min(self._size, _MAX_METADATA_BYTES)
        self._elements_left = _MAX_ELEMENTS

    def read(self, path: Path) -> GgufFile:
        """Read everything before the tensors' data."""
        if self._bytes(len(_MAGIC)) != _MAGIC or self._number("I") not in _VERSIONS:
            raise ValueError("not a GGUF file of a known version")
        tensors, fields = self._number("Q"), self._number("Q")
        if tensors > _MAX_TENSORS or fields > _MAX_FIELDS:
            raise ValueError("more tensors or fields than any model has")
        known: dict[str, Any] = {}
        for _ in range(fields):
            key = self._string()
            known[key] = self._value(self._number("I"))
        infos = [self._tensor_info() for _ in range(tensors)]
        alignment = known.get("general.alignment", 32)
        start = -(-self._file.tell() // alignment) * alignment
        found = {}
        for name, shape, kind, offset in infos:
            tensor = GgufTensor(path, name, shape, kind, start + offset)
            if tensor.offset + tensor.rows * tensor.row_bytes > self._size:
                raise ValueError("the file ends before its tensors do")
            found[name] = tensor
        return GgufFile(path, known, found)

    def _tensor_info(self) -> tuple[str, tuple[int, ...], GGMLQuantizationType, int]:
        name, dimensions = self._string(), self._number("I")
        if not 0 < dimensions <= _MAX_DIMENSIONS:
            raise ValueError("a tensor without a size, or with more dimensions than there can be")
        sizes = [self._number("Q") for _ in range(dimensions)]
        kind, offset = GGMLQuantizationType(self._number("I")), self._number("Q")
        if not all(sizes) or sizes[0] % GGML_QUANT_SIZES[kind][0]:
            raise ValueError("a tensor without numbers, or with a part of a block")
        return name, tuple(reversed(sizes)), kind, offset

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            element, count = self._number("I"), self._number("Q")
            self._elements_left -= count
            if self._elements_left < 0:
                raise ValueError("more elements than any vocabulary has")
            if element in _NUMBERS:
                layout = f"<{_NUMBERS[element]}"
                return np.frombuffer(self._bytes(count * struct.calcsize(layout)), layout).tolist()
            return [self._value(element) for _ in range(count)]
        return self._number(_NUMBERS[kind])

    def _number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))[0]

    def _string(self) -> str:
        return self._bytes(self._number("Q")).decode()

    def _bytes(self, count: int) -> bytes:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise ValueError("longer than the file, or than any metadata")
        read = self._file.read(count)
        if len(read) < count:
            raise ValueError("the file is cut short")
        return read
