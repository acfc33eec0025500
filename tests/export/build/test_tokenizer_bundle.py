"""The bundle for a server's model: a tokenizer and a prompt format, and no weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import BundleWithoutWeights
from midfill.inference.bundle import TOKENIZER, load_bundle, load_tokenizer_bundle
from midfill.inference.tokenizer import load_tokenizer
from midfill_export.build.from_gguf import bundle_from_gguf
from midfill_export.build.tokenizer_bundle import is_there, tokenizer_bundle
from midfill_export.weights.known_models import Served, served_model
from midfill_export.weights.weights import Weights


def test_bundle_has_the_tokenizer_alone(weights: Weights, gguf_file: Path, tmp_path: Path) -> None:
    """It names the server's model, and encodes as the bundle with weights does."""
    served = Served("a larger one", "Apache-2.0", weights.name)
    bundle = tokenizer_bundle(served, weights, gguf_file, tmp_path / "served")
    whole = bundle_from_gguf(weights, gguf_file, tmp_path / "whole")
    assert (bundle.name, list(bundle.files), bundle.has_weights) == ("a larger one", [TOKENIZER], False)
    assert (bundle.fim, bundle.stop_tokens, bundle.vocabulary) == (whole.fim, whole.stop_tokens, whole.vocabulary)
    one, other = (load_tokenizer(load_tokenizer_bundle(tmp_path / name)) for name in ("served", "whole"))
    assert one.encode("def add(left):") == other.encode("def add(left):")
    with pytest.raises(BundleWithoutWeights):
        load_bundle(tmp_path / "served")


def test_bundle_that_is_there_is_recognised(weights: Weights, gguf_file: Path, tmp_path: Path) -> None:
    """By the model's name, in any case of its letters."""
    tokenizer_bundle(Served("One", "MIT", weights.name), weights, gguf_file, tmp_path / "out")
    assert is_there(Served("one", "MIT", weights.name), tmp_path / "out")
    assert not is_there(Served("two", "MIT", weights.name), tmp_path / "out")
    assert not is_there(Served("one", "MIT", weights.name), tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("0.5b", "Qwen2.5-Coder-0.5B-Instruct"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "qwen2.5-coder-7b-instruct"),
        ("Qwen2.5-Coder-32B-Instruct-AWQ", "qwen2.5-coder-32b-instruct"),
        ("/models/qwen2.5-coder-1.5b", "qwen2.5-coder-1.5b"),
    ],
)
def test_servers_names_of_known_models(name: str, title: str) -> None:
    """A path and a kind of quantisation are no part of the name."""
    served = served_model(name)
    assert served is not None
    assert served.title == title
