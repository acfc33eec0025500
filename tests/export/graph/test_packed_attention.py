"""RoPE's tables, and the order of a head's numbers that the operator needs."""

from __future__ import annotations

import numpy as np
import pytest

from midfill.common.errors import ExportError
from midfill_export.graph.packed_attention import Rotary, head_order


def test_tables_are_padded_to_no_rotation() -> None:
    """The pairs beyond the model's own are rotated by nothing: cosine 1, sine 0."""
    rotary = Rotary(np.array([1.0, 0.5, 0.1], np.float32), scaling=2.0, positions=5)
    cos, sin = rotary.tables()
    assert cos.shape == sin.shape == (5, 8)
    assert np.allclose(cos[4, :3], 2 * np.cos([4, 2, 0.4]))
    assert np.allclose(sin[4, :3], 2 * np.sin([4, 2, 0.4]))
    assert (cos[:, 3:] == 1).all()
    assert (sin[:, 3:] == 0).all()


def test_head_of_a_multiple_of_pairs_keeps_its_order() -> None:
    """Where nothing is padded, number i is rotated with number i + pairs already."""
    assert list(head_order(32, 16)) == list(range(32))


def test_partial_rotation_is_reordered() -> None:
    """The operator rotates places i and i + 8: they get the model's numbers i and i + 5; others fill the gaps."""
    order = list(head_order(24, 5))
    assert order[:5] == [0, 1, 2, 3, 4]
    assert order[8:13] == [5, 6, 7, 8, 9]
    assert sorted(order) == list(range(24))


def test_too_small_head_is_refused() -> None:
    """The padded pairs must fit into the head."""
    with pytest.raises(ExportError, match="rotates 5 pairs of a head of 12"):
        head_order(12, 5)
