"""What a model takes, by its dimensions."""

from __future__ import annotations

from midfill_export.choice.estimate import estimate
from midfill_export.choice.machine import Machine
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Shape

MACHINE = Machine(bytes_per_second=20e9, products_per_second=300e9, memory=1, disk=1)


def test_small_model() -> None:
    """The 0.5B: its bundle has 714 MB, and two cores took about a second for a new file."""
    takes = estimate(_shape("0.5b"), MACHINE)
    assert 680e6 < takes.bundle < 750e6
    assert 700e6 < takes.memory < 900e6
    assert 15 < takes.keystroke_ms < 30
    assert takes.suggestion_ms == 16 * takes.keystroke_ms
    assert 1_000 < takes.new_file_ms < 2_000


def test_model_without_shared_heads() -> None:
    """The KV cache of Stable Code 3B takes 655 kB a token."""
    takes = estimate(_shape("stable-code-3b"), MACHINE)
    assert takes.memory - takes.bundle == 4096 * 655_360


def test_parameters_are_those_on_the_models_cards() -> None:
    """In thousands of millions."""
    billions = {name: round(w.number_of_parameters / 1e9, 1) for name, w in WEIGHTS.items()}
    assert billions["0.5b"] == 0.5
    assert billions["1.5b"] == 1.5
    assert billions["3b"] == 3.1
    assert billions["7b"] == 7.6
    assert billions["stable-code-3b"] == 2.8
    assert billions["codellama-7b"] == 6.7
    assert billions["starcoder2-3b"] == 3.0
    assert billions["seed-coder-8b"] == 8.3
    assert billions["mellum-4b"] == 4.0


def _shape(name: str) -> Shape:
    shape = WEIGHTS[name].shape
    assert shape is not None
    return shape


def test_dimensions_are_those_of_the_files() -> None:
    """The known sizes of files of 4 to 5 bits a weight fit the parameters."""
    sized = [weights for weights in WEIGHTS.values() if weights.size and weights.shape and "q4" in weights.file.lower()]
    ratios = {weights.name: 8 * weights.size / weights.number_of_parameters for weights in sized}
    assert len(ratios) >= 8
    assert {name: ratio for name, ratio in ratios.items() if not 4.4 < ratio < 8.2} == {}
