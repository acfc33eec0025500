"""A model that the administrators' policy does not allow is never loaded, whoever opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import LicenceRefused, PolicyRefused
from midfill.completion.engine import load_engine
from midfill.engine.open_model import open_model
from midfill.inference.bundle import WeightSource
from midfill.inference.loaded_model import load_model
from midfill.settings.schema import Settings
from policies import place_policy
from unit.helpers import chain_graph, write_bundle


def settings(tmp_path: Path, *, share_engine: bool = False) -> Settings:
    """Return settings with a bundle that a server could load."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("pass")).path
    return Settings(bundle=bundle, threads=1, share_engine=share_engine)


@pytest.mark.parametrize("share_engine", [False, True])
def test_model_that_is_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share_engine: bool) -> None:
    """Neither in this process nor in a shared one."""
    place_policy(tmp_path, monkeypatch, "models = ['another-*']")
    with pytest.raises(PolicyRefused, match="does not allow the model "):
        open_model(settings(tmp_path, share_engine=share_engine))


def test_allowed_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that allows it changes nothing."""
    place_policy(tmp_path, monkeypatch, "models = ['*']\nlicences = ['apache-2.0']\n[settings]\nuse = 'commercial'")
    assert load_model(settings(tmp_path)).manifest.name == "tiny"


def test_unusable_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is loaded, and the line says why."""
    file = place_policy(tmp_path, monkeypatch, "models = 3")
    with pytest.raises(PolicyRefused) as refused:
        load_engine(settings(tmp_path))
    assert str(refused.value) == (
        f"Nothing is completed, because the policy in {file} cannot be used: 'models' must be a list of texts."
    )


def test_use_is_the_policys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for commands that measure with settings of their own."""
    place_policy(tmp_path, monkeypatch, "[settings]\nuse = 'commercial'")
    source = WeightSource(repository="none", file="", sha256="", license="cc-by-nc-4.0")
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("pass"), source=source).path
    with pytest.raises(LicenceRefused):
        load_model(Settings(bundle=bundle, threads=1))
