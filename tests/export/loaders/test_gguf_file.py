"""A GGUF is read as the package that defines the format reads it, and what is damaged is refused in a line."""

from __future__ import annotations

import contextlib
from pathlib import Path

import gguf
import numpy as np
import pytest

from midfill.common.errors import SourceError
from midfill_export.loaders.gguf_file import open_gguf

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
