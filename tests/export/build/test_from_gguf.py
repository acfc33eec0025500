"""The bundle of pulled weights, made without torch, is the bundle that an export by torch makes."""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from numpy.typing import NDArray

from midfill.common.errors import ExportError, SourceError
from midfill.inference.bundle import load_bundle, write_manifest
from midfill_export.build import bundle, from_gguf
from midfill_export.build.from_checkpoint import bundle_from_checkpoint
from midfill_export.build.from_gguf import bundle_from_gguf, describe_gguf, is_built
from midfill_export.cli import pull
from midfill_export.cli.pull import run
from midfill_export.graph.nodes import tensor_of
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Weights

WITHOUT_TORCH = """
import pickle, sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "transformers", "optimum", "accelerate"):
            raise ModuleNotFoundError(f"{name} was asked for", name=name)

sys.meta_path.insert(0, Blocked())
from midfill.cli import main
from midfill_export.cli import pull

weights = pickle.loads(Path(sys.argv[1]).read_bytes())
pull.run.__defaults__ = ({"tiny": weights},)
raise SystemExit(main.main(["pull", sys.argv[2]]) or main.main(["complete", sys.argv[3], "--json"]))
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep notes of verified files, weights and bundles out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MIDFILL_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def pulled(weights: Weights, gguf_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a bundle of the GGUF."""
    out = tmp_path_factory.mktemp("pulled") / "tiny"
    bundle_from_gguf(weights, gguf_file, out)
    return out


def named_weights(graph: ir.Graph) -> dict[str, NDArray[Any]]:
    """Return all initializers by name; those that are named after a value without a name have a number."""
    numbers = itertools.count()
    return {
        f"norm {next(numbers)}" if name.startswith("val_") else name: tensor_of(value).numpy()
        for name, value in graph.initializers.items()
    }


def test_bundle_is_what_an_export_makes(pulled: Path, gguf_file: Path, tmp_path: Path) -> None:
    """The same operators, every initializer to the bit, and the same manifest but for what was measured on the way."""
    exported = bundle_from_checkpoint(str(gguf_file), tmp_path / "out").path
    ours, theirs = (ir.load(load_bundle(folder).graph).graph for folder in (pulled, exported))
    mine, other = (Counter(node.op_type for node in graph) for graph in (ours, theirs))
    assert mine - other == {"Size": 1}, "the number of tokens is counted in another way"
    assert (other - mine).keys() <= {"Cast", "Constant", "Gather", "ReduceSum"}
    ours_named, theirs_named = (named_weights(graph) for graph in (ours, theirs))
    assert ours_named.keys() - theirs_named.keys() == {"one"}
    differing = [name for name, array in theirs_named.items() if not np.array_equal(array, ours_named[name])]
    assert differing == []
    made, traced = (load_bundle(folder).manifest for folder in (pulled, exported))
    assert made.source == replace(traced.source, repository=made.source.repository)
    assert replace(made, source=traced.source, verification=traced.verification, files=traced.files) == traced
    assert made.verification.top1_agreement == pytest.approx(traced.verification.top1_agreement, abs=0.1)


def test_pull_without_torch_completes(weights: Weights, gguf_file: Path, cache: Path, tmp_path: Path) -> None:
    """From a file to a suggestion, in a Python where torch cannot be imported."""
    import pickle

    (tmp_path / "weights").write_bytes(pickle.dumps(weights))
    (tmp_path / "a.py").write_text("def add(left, right):\n    return ")
    made = cache / "bundles" / "tiny-qwen2"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, tmp_path / "weights", gguf_file, f"{tmp_path / 'a.py'}:2:12"],
        env={**os.environ, "MIDFILL_BUNDLE": str(made)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{made}\n{{")
    assert '"tokens":' in done.stdout
    assert "calibration: the activations after 5 norms" in done.stderr
    assert [path.name for path in made.parent.iterdir()] == ["tiny-qwen2"]


def test_existing_bundle_is_kept(
    weights: Weights, gguf_file: Path, pulled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second pull keeps the bundle; a bundle of other weights, or one that is missing, is not taken for it."""
    monkeypatch.setattr(from_gguf, "bundle_from_gguf", lambda *_: pytest.fail("it was built again"))
    (pulled.parent / "tiny-qwen2").symlink_to(pulled)
    given = argparse.Namespace(
        what=str(gguf_file), model="tiny", accept_license=False, weights_only=False, tokenizer_only=False
    )
    assert run(given, pulled.parent, "personal", {"tiny": weights}) == 0
    assert "its bundle exists already" in capsys.readouterr().err
    assert not is_built(replace(weights, sha256="0" * 64), pulled)
    assert not is_built(weights, pulled / "nowhere")


@pytest.mark.parametrize(("limit", "kept"), [(127, True), (63, False)])
def test_bundle_of_an_older_version(limit: int, kept: bool, weights: Weights, pulled: Path, tmp_path: Path) -> None:
    """One whose weights have 8 bits is kept, whatever processor it was made for. One of 7 bits is built again."""
    old = shutil.copytree(pulled, tmp_path / "old")
    made = load_bundle(old).manifest
    write_manifest(
        old, replace(made, target="vnni", quantisation={**made.quantisation, "target": "vnni", "weight_limit": limit})
    )
    assert is_built(weights, old) is kept


def test_full_disk_leaves_nothing(
    weights: Weights, gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails ends with a line that names the folder; nothing half made stays."""

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "save_graph", no_space)
    with pytest.raises(ExportError, match="the disk is full"):
        bundle_from_gguf(weights, gguf_file, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def end_at_quantization(line: str) -> None:
    """End this process when the graph is about to be quantised."""
    if line.startswith("int8"):
        signal.raise_signal(signal.SIGTERM)


def test_ended_pull_leaves_nothing(
    weights: Weights, gguf_file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """SIGTERM ends a pull as an error would; an older bundle stays."""
    bundle_from_gguf(weights, gguf_file, tmp_path / "out")
    before = (tmp_path / "out" / "manifest.json").read_bytes()

    request.addfinalizer(partial(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, pull.end)))
    with pytest.raises(SystemExit, match="143"):
        bundle_from_gguf(weights, gguf_file, tmp_path / "out", end_at_quantization)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_what_a_killed_pull_left_goes_away(weights: Weights, gguf_file: Path, tmp_path: Path) -> None:
    """The next one removes it; what a running process makes beside it stays."""
    (tmp_path / ".out-4194305-killed").mkdir()
    (tmp_path / f".out-{os.getpid()}-running").mkdir()
    bundle_from_gguf(weights, gguf_file, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".out-{os.getpid()}-running", "out"]


def test_tokenizer_of_another_kind_is_refused(weights: Weights, gguf_file: Path, tmp_path: Path) -> None:
    """The rule that splits text must be known; the error names it."""
    other = tmp_path / "other.gguf"
    data = gguf_file.read_bytes()
    at = data.index(b"qwen2", data.index(b"tokenizer.ggml.pre"))
    other.write_bytes(data[:at] + b"jais2" + data[at + 5 :])
    with pytest.raises(SourceError, match=r"only `midfill export` can read \(gpt2, jais2\)"):
        bundle_from_gguf(weights, other, tmp_path / "out")


def test_file_of_other_dimensions_is_refused(weights: Weights, gguf_file: Path) -> None:
    """A file whose hash nobody pinned must at least be of the size of the model that it is said to be."""
    with pytest.raises(SourceError, match=r"is not tiny-qwen2-f32: its layers, width, neurons, heads and KV heads are"):
        describe_gguf(replace(weights, shape=WEIGHTS["0.5b"].shape), open_gguf(gguf_file))
