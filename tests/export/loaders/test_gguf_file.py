"""A GGUF is read as the package that defines the format reads it, and what is damaged is refused in a line."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from midfill.common.errors import SourceError
from midfill_export.loaders.gguf_file import GgufFile, _Reader, open_gguf

RANDOM = np.random.default_rng(5)
KINDS = [gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "Q8_0", "Q5_0", "Q4_0")]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file with tensors of several kinds and fields of every type."""
    path = tmp_path_factory.mktemp("gguf") / "mixed.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_uint32("whole", 7)
    writer.add_int64("negative", -(1 << 40))
    writer.add_float64("real", 0.1)
    writer.add_bool("true", True)
    writer.add_array("texts", ["Ġé", "", "x" * 300])
    writer.add_array("numbers", [3, -1, 2])
    for kind in KINDS:
        matrix = RANDOM.standard_normal((70, 64)).astype(np.float32)
        writer.add_tensor(kind.name, gguf.quants.quantize(matrix, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_fields_are_those_of_the_package(mixed: Path) -> None:
    """Every field, by name and value."""
    expected = gguf.GGUFReader(mixed)
    found = open_gguf(mixed)
    ours = {name: field.contents() for name, field in expected.fields.items() if not name.startswith("GGUF.")}
    assert found.fields == ours
    assert found.number("whole") == 7
    assert found.text("whole") is None
    with pytest.raises(SourceError, match="has no number nothing in its metadata"):
        found.number("nothing")


def test_tensors_are_those_of_the_package(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number, in parts too."""
    monkeypatch.setattr("midfill_export.loaders.gguf_file._MAX_VALUES", 64 * 32)
    found = open_gguf(mixed).tensors
    for tensor in gguf.GGUFReader(mixed).tensors:
        expected = gguf.dequantize(tensor.data, tensor.tensor_type)
        parts = list(found[tensor.name].in_parts())
        assert [rows for rows, _ in parts] == [slice(0, 32), slice(32, 64), slice(64, 70)]
        assert np.array_equal(np.concatenate([real for _, real in parts]), expected)
        assert found[tensor.name].shape == expected.shape


def test_wherever_it_is_cut_it_is_refused(mixed: Path, tmp_path: Path) -> None:
    """A file that ends too soon gives one line, whatever is missing."""
    whole = mixed.read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in [*range(0, 800, 7), len(whole) - 1000]:
        cut.write_bytes(whole[:length])
        with pytest.raises(SourceError, match="damaged or cut short"):
            open_gguf(cut)


@pytest.mark.parametrize("byte", [0x00, 0x09, 0x7F, 0xFF])
def test_wrong_bytes_never_raise_anything_else(mixed: Path, tmp_path: Path, byte: int) -> None:
    """Whichever byte of the metadata is wrong, the file is read or refused."""
    whole = bytearray(mixed.read_bytes())
    broken = tmp_path / "broken.gguf"
    for place in range(0, 900, 3):
        kept, whole[place] = whole[place], byte
        broken.write_bytes(whole)
        whole[place] = kept
        with contextlib.suppress(SourceError):
            assert open_gguf(broken).path == broken


def header(tensors: int, fields: int, rest: bytes = b"") -> bytes:
    """Return the beginning of a file of version 3."""
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, fields) + rest


def text(content: bytes) -> bytes:
    """Return a text as the format has it."""
    return struct.pack("<Q", len(content)) + content


def array(kind: int, count: int, content: bytes = b"") -> bytes:
    """Return a field with an array; nothing makes ``content`` as long as ``count`` says."""
    return text(b"a") + struct.pack("<IIQ", 9, kind, count) + content


def tensor(sizes: list[int], kind: int = 0, offset: int = 0) -> bytes:
    """Return the description of a tensor."""
    return text(b"t") + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)


HUGE = 2**64 - 1
NESTED = struct.pack("<IQ", 9, 1)
HOSTILE = {
    "a number of tensors": header(HUGE, 0),
    "a number of fields": header(0, HUGE),
    "a long name": header(0, 1, struct.pack("<Q", HUGE)),
    "a long array of bytes": header(0, 1, array(0, HUGE)),
    "a long array of numbers": header(0, 1, array(12, 2**61)),
    "a long array of texts": header(0, 1, array(8, HUGE)),
    "a long array of arrays": header(0, 1, array(9, HUGE)),
    "many empty texts": header(0, 1, array(8, 3_000_000, bytes(24_000_000))),
    "many small numbers": header(0, 1, array(0, 20_000_000, bytes(20_000_000))),
    "many arrays": header(0, 60, array(0, 100_000, bytes(100_000)) * 60),
    "deep arrays": header(0, 1, array(9, 1, NESTED * 100_000)),
    "arrays of many empty arrays": header(0, 1, array(9, 3_000_000, struct.pack("<IQ", 0, 0) * 3_000_000)),
    "an unknown kind of array": header(0, 1, array(99, 1)),
    "an unknown kind of field": header(0, 1, text(b"a") + struct.pack("<I", 99)),
    "a text that is none": header(0, 1, text(b"a") + struct.pack("<I", 8) + text(b"\xff\xfe")),
    "an alignment of 0": header(1, 1, text(b"general.alignment") + struct.pack("<II", 4, 0) + tensor([1])),
    "an alignment that is a text": header(1, 1, text(b"general.alignment") + struct.pack("<I", 8) + text(b"x")),
    "a tensor of no dimension": header(1, 0, tensor([])),
    "a tensor of many dimensions": header(1, 0, tensor([1] * 100)),
    "a number of dimensions": header(1, 0, text(b"t") + struct.pack("<I", 2**32 - 1)),
    "a tensor without rows": header(1, 0, tensor([32, 0])),
    "a tensor without columns": header(1, 0, tensor([0, 32])),
    "a tensor that is large": header(1, 0, tensor([HUGE])),
    "a tensor whose size overflows": header(1, 0, tensor([2**32, 2**32])),
    "a tensor far away": header(1, 0, tensor([1], offset=HUGE)),
    "a tensor whose end overflows": header(1, 0, tensor([1], offset=2**64 - 64)),
    "a part of a block": header(1, 0, tensor([33], kind=8) + bytes(1000)),
    "an unknown kind of tensor": header(1, 0, tensor([1], kind=9999)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_file_that_asks_for_too_much_is_refused(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before much is read: a limit is a number of elements, and the file's size."""
    file = tmp_path / "hostile.gguf"
    file.write_bytes(content)
    reads: list[int] = []
    read = _Reader._bytes

    def counted(reader: _Reader, count: int) -> bytes:
        reads.append(count)
        return read(reader, count)

    monkeypatch.setattr(_Reader, "_bytes", counted)
    with pytest.raises(SourceError, match="damaged or cut short") as refusal:
        open_gguf(file)
    assert "\n" not in str(refusal.value)
    assert len(reads) < 10_000


@pytest.mark.parametrize("value", [7, [1, 2], "a", [[]]], ids=repr)
def test_vocabulary_that_is_none_is_one_line(value: object) -> None:
    """A field may have any kind."""
    file = GgufFile(Path("a.gguf"), {"tokenizer.ggml.tokens": value, "tokenizer.ggml.token_type": 7, "size": value}, {})
    with pytest.raises(SourceError, match=r"a\.gguf has no texts tokenizer\.ggml\.tokens in its metadata"):
        file.control_tokens()


@pytest.mark.parametrize("value", [0, -1, 2**40, True, 1.5, "7", [7]], ids=repr)
def test_number_that_no_model_has_is_one_line(value: object) -> None:
    """It would be divided by, or multiplied."""
    with pytest.raises(SourceError, match="has no number size in its metadata"):
        GgufFile(Path("a.gguf"), {"size": value}, {}).number("size")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_pipe_and_device_are_refused(tmp_path: Path) -> None:
    """Nothing waits for a writer, and nothing is read for ever."""
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "device.gguf").symlink_to("/dev/zero")
    for name in ("pipe.gguf", "device.gguf"):
        with pytest.raises(SourceError, match="cannot be read as GGUF"):
            open_gguf(tmp_path / name)
