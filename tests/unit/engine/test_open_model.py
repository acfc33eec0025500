"""Where a model is: at a server, with the model on this machine behind it, and what each of them needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("httpx", reason="the extra 'remote' is not installed")

from midfill.common.cancel import CancelFlag
from midfill.common.errors import BundleNotFound, BundleWithoutWeights, RemoteUnavailable
from midfill.completion.engine import open_engine
from midfill.completion.types import Request
from midfill.engine.open_model import open_for_actions, open_in_process, open_model
from midfill.inference.bundle import GRAPH, TOKENIZER
from midfill.inference.token_generator import GenerationRequest, LanguageModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.helpers import MarkovModel, chain_graph, encode, loaded_model, manifest, write_bundle
from unit.remote.model_server import ModelServer, serving

AWAY = "http://127.0.0.1:9"


def tokenizer_only(folder: Path) -> Path:
    """Write a bundle without weights."""
    files = write_bundle(folder).manifest.files
    (folder / GRAPH).unlink()
    return write_bundle(folder, files={TOKENIZER: files[TOKENIZER]}).path


def table() -> np.ndarray:
    """Make the likings of a model."""
    size = manifest().vocabulary
    return np.random.default_rng(3).normal(0, 3, (size, size)).astype(np.float32)


def tokens_of(model: LanguageModel) -> list[int]:
    """Generate a few tokens."""
    generator = model.new_generator(context=512, cache_bytes=1 << 20, max_draft_tokens=0)
    request = GenerationRequest(prompt=encode("def add"), max_tokens=5, stop_tokens=())
    return [choice.token for choice in generator.generate(request, CancelFlag())]


def test_bundle_without_weights_is_enough_for_a_server(tmp_path: Path) -> None:
    """The tokens come from the server, for suggestions as well as for commands."""
    bundle = tokenizer_only(tmp_path / "tokenizer")
    with serving(ModelServer(table())) as served:
        settings = Settings(bundle=bundle, engine=served.url)
        expected = tokens_of(loaded_model(MarkovModel(table())))
        assert tokens_of(open_model(settings)) == tokens_of(open_in_process(settings)) == expected


def test_bundle_without_weights_says_what_to_do_without_a_server(tmp_path: Path) -> None:
    """It cannot run here."""
    bundle = tokenizer_only(tmp_path / "tokenizer")
    with pytest.raises(BundleWithoutWeights, match=r"has no weights.*set 'engine' to the address of a server, or get"):
        open_model(Settings(bundle=bundle))


def test_server_needs_a_bundle(tmp_path: Path) -> None:
    """Without a tokenizer there are no tokens to send."""
    with pytest.raises(BundleNotFound):
        open_model(Settings(bundle=tmp_path, engine=AWAY))


def test_server_that_is_away_and_no_weights_is_an_error_of_each_request(tmp_path: Path) -> None:
    """The model is opened, because the server may come back."""
    model = open_model(Settings(bundle=tokenizer_only(tmp_path / "tokenizer"), engine=AWAY))
    with pytest.raises(RemoteUnavailable, match=r"The server 127.0.0.1:9 cannot be used"):
        tokens_of(model)


def test_actions_go_on_with_the_model_that_suggests(tmp_path: Path) -> None:
    """If their server is away, and that model has the same tokens."""
    bundle = write_bundle(tmp_path / "bundle")
    typing = loaded_model(MarkovModel(table()), files=bundle.manifest.files)
    settings = Settings(bundle=bundle.path, actions_bundle=tmp_path / "none", actions_engine=AWAY)
    assert tokens_of(open_for_actions(settings, typing)) == tokens_of(typing)


def test_actions_do_not_go_on_with_a_model_of_other_tokens(tmp_path: Path) -> None:
    """Its text would be nonsense."""
    bundle = write_bundle(tmp_path / "bundle")
    settings = Settings(bundle=bundle.path, actions_bundle=tmp_path / "none", actions_engine=AWAY)
    with pytest.raises(RemoteUnavailable):
        tokens_of(open_for_actions(settings, loaded_model(MarkovModel(table()))))


def test_engines_of_typing_and_of_actions_have_keys_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server gets the key of another one; the same server gets the same key."""
    monkeypatch.setenv("MIDFILL_ENGINE_KEY", "key-of-typing")
    bundle = tokenizer_only(tmp_path / "tokenizer")
    settings = Settings(bundle=bundle, actions_bundle=tmp_path / "none")
    typing = loaded_model(MarkovModel(table()))
    with serving(ModelServer(table(), key="key-of-typing")) as one, serving(ModelServer(table())) as other:
        settings = replace(settings, engine=one.url, actions_engine=f"{one.url}/v1")
        assert tokens_of(open_model(settings)) == tokens_of(open_for_actions(settings, typing))
        tokens_of(open_for_actions(replace(settings, actions_engine=other.url), typing))
    assert [headers.get("Authorization") for headers in other.headers] == [None, None]


def test_suggestion_names_the_model_that_made_it(tmp_path: Path) -> None:
    """The server's with its address; after the server has ended, that of this machine. So `midfill why` says it."""
    bundle = write_bundle(tmp_path / "bundle", chain_graph("left", anywhere=True)).path
    settings = Settings(bundle=bundle, threads=1, engine_timeout_ms=20_000, min_confidence=0, context_tokens=128)
    with serving(ModelServer(table())) as served:
        engine = open_engine(LiveSettings(replace(settings, engine=served.url)))
        request = Request(text="x = ", offset=4, unfiltered=True)
        assert engine.complete(request, CancelFlag()).model == f"tiny on {served.url.removeprefix('http://')}"
        served.stop()
        done = engine.complete(request, CancelFlag())
    assert done.model == "tiny"
    assert done.text.endswith("left")
