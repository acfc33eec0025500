"""The 8-bit arithmetic of this processor is found by a product, and activations get as many bits as it allows."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference import arithmetic
from midfill.inference.arithmetic import Arithmetic, activation_bits, detect

LARGEST = 64 * 255 * 127


@pytest.fixture(autouse=True)
def _asked_again() -> Iterator[None]:
    """Let each test ask the processor anew, and the tests after it too."""
    detect.cache_clear()
    yield
    detect.cache_clear()


@pytest.mark.parametrize(
    ("product", "found"),
    [(LARGEST, Arithmetic.EXACT), (1_048_544, Arithmetic.SATURATING), (0, Arithmetic.SATURATING)],
    ids=["AVX-VNNI and arm64", "AVX2", "nonsense"],
)
def test_product_tells(product: int, found: Arithmetic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that is not exact is taken for one that saturates: fewer bits are right on every processor."""
    monkeypatch.setattr(arithmetic, "_largest_product", lambda: product)
    assert detect() is found


@pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
def test_every_system_is_asked_the_same(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of the system and no name of a processor has a part in it."""
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: pytest.fail("the machine's name was asked"))
    monkeypatch.setattr("platform.processor", lambda: pytest.fail("the processor's name was asked"))
    monkeypatch.setattr(arithmetic, "_largest_product", lambda: LARGEST)
    assert detect() is Arithmetic.EXACT


def test_this_processor_answers() -> None:
    """The real product is one of the two that are known."""
    assert arithmetic._largest_product() in (LARGEST, 1_048_544)


def test_probe_is_what_it_says() -> None:
    """The file has one product of activations of any number of rows with 127 everywhere."""
    content = importlib.resources.files("midfill.inference").joinpath("products.onnx").read_bytes()
    graph = ir.from_proto(onnx.ModelProto.FromString(content)).graph
    [node] = graph
    [weights] = graph.initializers.values()
    assert node.op_type == "MatMulInteger"
    assert weights.const_value is not None
    assert np.array_equal(weights.const_value.numpy(), np.full((64, 16), 127, np.int8))


@pytest.mark.parametrize(
    ("weight_limit", "found", "bits"),
    [
        (127, Arithmetic.EXACT, 8),
        (127, Arithmetic.SATURATING, 7),
        (65, Arithmetic.SATURATING, 7),
        (63, Arithmetic.SATURATING, 8),
    ],
    ids=["exact", "8-bit weights", "weights of a little more than 7 bits", "7-bit weights, of older versions for AVX2"],
)
def test_bits_of_activations(weight_limit: int, found: Arithmetic, bits: int) -> None:
    """Bits are given up only where a sum of two products would saturate."""
    assert activation_bits(weight_limit, found) == bits


@given(st.integers(1, 127))
def test_no_sum_of_two_products_saturates(weight_limit: int) -> None:
    """The sum of two largest products fits 16 bits. With the zero point, integers of 7 bits go up to 128."""
    largest = {8: 255, 7: 128}[activation_bits(weight_limit, Arithmetic.SATURATING)]
    assert 2 * largest * weight_limit < 1 << 15
