"""Sweep's models from a file to an edit, with made-up weights, in both vocabularies: pull, prompt, stop, server."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, URI, Json, RawClient, ghost_text_at
from export.sweep_gguf import BASE, OWN, QWEN_CONTROL, Shape, write_sweep_gguf
from midfill.common.cancel import CancelFlag
from midfill.common.errors import ExportError, SourceError
from midfill.common.reasons import Reason
from midfill.inference.bundle import GRAPH, load_bundle
from midfill.inference.bundle_files import hash_file
from midfill.inference.loaded_model import load_model
from midfill.next_edit.history import EditHistory
from midfill.next_edit.predictor import EditPredictor
from midfill.next_edit.types import Document, NextEdit, Place, Why
from midfill.settings.schema import Settings
from midfill_export.build import verify
from midfill_export.cli.pull import run
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Weights

BEFORE = "def f(a):\n    return a\n"
NOW = "def f(b):\n    return a\n"
PROMPT = (
    f"<|file_sep|>sample.py\n{BEFORE}\n"
    "<|file_sep|>sample.py:1:2\noriginal:\ndef f(a):\n    return a\nupdated:\ndef f(b):\n    return a\n"
    f"<|file_sep|>original/sample.py:1:3\n{BEFORE}\n"
    "<|file_sep|>current/sample.py:1:3\ndef f(b):\n    ret<|cursor|>urn a\n\n"
    "<|file_sep|>updated/sample.py:1:3\ndef f(b):\n"
)
"""As Sweep's authors' server writes it."""


def pulled(name: str, shape: Shape, weights: Weights, folder: Path) -> Path:
    """Write a file, pin it in the place of one of Sweep's, and pull it; return the bundle's folder."""
    file = write_sweep_gguf(folder / WEIGHTS[name].file, shape)
    pinned = replace(WEIGHTS[name], size=file.stat().st_size, sha256=hash_file(file), shape=None)
    arguments = argparse.Namespace(
        what=str(file), model="0.5b", accept_license=False, weights_only=False, tokenizer_only=False
    )
    run(arguments, folder / "cache" / "bundles", "commercial", {name: pinned})
    return folder / "cache" / "bundles" / name


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Use a cache folder for these tests, and calibrate on few samples."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDFILL_CACHE", str(folder / "cache"))
        patch.setattr(verify, "_CALIBRATED", verify._CALIBRATED[::6])
        yield folder


@pytest.fixture(scope="module")
def bundles(cache: Path, weights: Weights) -> dict[str, Path]:
    """Pull a model of each vocabulary; both by the template of a third one."""
    shapes = {"sweep-0.5b": BASE, "sweep-1.5b": OWN}
    return {name: pulled(name, shape, weights, cache) for name, shape in shapes.items()}


def predicted(bundle: Path) -> NextEdit:
    """Ask a bundle's model to write the second line's window anew."""
    history = EditHistory(lambda: 0.0)
    history.changed("sample.py", BEFORE, NOW)
    place = Place(path="sample.py", line=1, column=7, why=Why.CURSOR)
    predictor = EditPredictor(
        load_model(Settings(bundle=bundle, threads=1)), ablations=frozenset({"guesses", "gate", "filters"})
    )
    return predictor.predict(Document(path="sample.py", text=NOW), place, history.hunks(), CancelFlag())


@pytest.mark.parametrize(("name", "shape"), [("sweep-0.5b", BASE), ("sweep-1.5b", OWN)])
def test_prompt_has_the_models_own_tokens(name: str, shape: Shape, bundles: dict[str, Path]) -> None:
    """The text is Sweep's, each mark is one token, and that token ends the answer."""
    made = load_bundle(bundles[name]).manifest
    mark = shape.size + QWEN_CONTROL.index("<|file_sep|>")
    assert (made.edit_format, made.name, made.fim.file) == ("sweep", WEIGHTS[name].title, mark)
    assert {mark, shape.size} <= set(made.stop_tokens)
    assert made.vocabulary == shape.size + len(shape.control) + shape.padding
    found = predicted(bundles[name])
    assert found.prompt_text == PROMPT
    assert found.prompt.count(mark) == PROMPT.count("<|file_sep|>") == found.prompt_text.count("<|file_sep|>")
    assert (found.tokens, found.reason) == (0, Reason.NONE)
    assert found.apply(NOW) == "def f(b):\n"


@pytest.mark.parametrize(
    ("shape", "error", "words"),
    [
        (
            replace(BASE, control=QWEN_CONTROL[:-1]),
            SourceError,
            r"no control tokens <\|repo_name\|> and <\|file_se",
        ),
        (replace(OWN, end=43_816), SourceError, r"names token 43816 as the end of a text, and has 314 tokens"),
        (replace(OWN, missing_rows=1), ExportError, r"has no token_embd\.weight for \(314, 64\)"),
    ],
    ids=["no token between files", "end token out of the vocabulary", "fewer rows than tokens"],
)
def test_file_that_cannot_be_one_of_sweeps(
    shape: Shape, error: type[Exception], words: str, weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused in a line, before anything is computed, and leaves no bundle."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(error, match=words):
        pulled("sweep-1.5b", shape, weights, tmp_path)
    assert not (tmp_path / "cache" / "bundles" / "sweep-1.5b").exists()


class Client:
    """A client whose server has the model of the base vocabulary for suggestions."""

    def __init__(self, raw: RawClient) -> None:
        self.raw = raw
        self.numbers = iter(range(1, 100))
        raw.initialize(options=self.options("sweep-1.5b"))
        raw.open(BEFORE)
        raw.wait_until_loaded()
        change = {"range": {"start": {"line": 0, "character": 6}, "end": {"line": 0, "character": 7}}, "text": "b"}
        raw.notify("textDocument/didChange", {"textDocument": {"uri": URI, "version": 1}, "contentChanges": [change]})

    @staticmethod
    def options(model: str) -> Json:
        return {"nextEdit": True, "nextEditModel": model, "workspaceTokens": 0, "threads": 1, "shareEngine": False}

    def name(self, model: str) -> None:
        """Set the model for edits."""
        self.raw.notify("workspace/didChangeConfiguration", {"settings": {"midfill": self.options(model)}})

    def ask(self) -> str:
        """Ask for an edit, and return why it is what it is."""
        place = {"textDocument": {"uri": URI, "version": 1}, "position": {"line": 1, "character": 7}}
        answer = self.raw.request(next(self.numbers), "textDocument/copilotInlineEdit", place)
        assert len(answer["result"]["edits"]) <= 1
        why: str = self.raw.request(next(self.numbers), "workspace/executeCommand", {"command": "midfill.why"})[
            "result"
        ]
        return why

    def warning(self) -> str:
        """Wait for a warning, and return it."""
        shown: str = self.raw.wait_for_notification("window/showMessage", type=2)["params"]["message"]
        return shown


def test_server_asks_the_model_for_edits(
    cache: Path, bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other vocabulary's prompt is right, too. A damaged bundle is told in a line, and ghost text stays."""
    monkeypatch.setenv("MIDFILL_BUNDLE", str(bundles["sweep-0.5b"]))
    damaged = shutil.copytree(bundles["sweep-1.5b"], tmp_path / "damaged")
    os.truncate(damaged / "v1" / GRAPH, 100)
    with RawClient(MIDFILL, tmp_path / "stderr") as raw:
        client = Client(raw)
        why = client.ask()
        assert "model: Sweep Next-Edit 1.5B v2, format sweep" in why
        assert PROMPT in why
        client.name(str(damaged))
        why = client.ask()
        assert "model: Sweep Next-Edit 0.5B, format sweep" in why
        assert PROMPT in why
        warning = client.warning()
        assert warning.startswith("The model for next edits cannot be used, the other one serves them: ")
        assert "model.onnx" in warning
        ghost = raw.request(next(client.numbers), "textDocument/inlineCompletion", ghost_text_at(1, 11))
        assert "error" not in ghost
