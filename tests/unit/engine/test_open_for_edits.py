"""The model of `nextEditModel`: one line for each kind of bundle that cannot be used, before anything is loaded."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from midfill.common.errors import MidfillError
from midfill.engine import open_model
from midfill.engine.open_model import check_for_edits, open_for_edits
from midfill.inference.bundle import GRAPH
from midfill.settings.schema import Settings
from policies import place_policy
from unit.helpers import chain_graph, edit_manifest, manifest, write_bundle

FIM = manifest().fim


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder for this test."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def settings(own_cache: Path) -> Settings:
    """Return settings with a pulled model for edits."""
    graph = chain_graph("1", anywhere=True)
    write_bundle(own_cache / "bundles" / "mine", graph, edit_format="sweep", fim=replace(FIM, file=FIM.middle))
    return Settings(next_edit_model="mine", threads=1)


def refusal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the line that refuses to load."""
    monkeypatch.setattr(open_model, "_load_here", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(MidfillError) as raised:
        open_for_edits(settings, 4096)
    return str(raised.value)


def test_pulled_model_is_loaded_here(settings: Settings) -> None:
    """In the format that its manifest names."""
    assert open_for_edits(settings, 4096).manifest.edit_format == "sweep"
    assert check_for_edits(settings, 4096).path == settings.next_edit_bundle


def test_model_that_was_not_pulled(settings: Settings, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has the command that gets it."""
    assert refusal(replace(settings, next_edit_model="sweep-0.5b"), monkeypatch) == (
        f"There is no bundle of 'nextEditModel' in {own_cache / 'bundles' / 'sweep-0.5b'}:"
        " get it with `midfill pull sweep-0.5b`."
    )


def test_model_that_needs_too_much(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it needs is told from the manifest."""
    edit_manifest(settings.next_edit_bundle or Path(), kv=asdict(replace(manifest().kv, layers=1000, head_size=128)))
    line = refusal(replace(settings, next_edit_megabytes=500), monkeypatch)
    assert line.startswith("tiny needs about ")
    assert line.endswith("'nextEditMegabytes' allows 500 MB: raise it, or choose a smaller model.")


def test_damaged_bundle(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is another one than the manifest says; a format that nobody knows; no token between files."""
    bundle = settings.next_edit_bundle or Path()
    edit_manifest(bundle, edit_format="swoop")
    assert "'edit_format' must be one of plain, sweep, zeta" in refusal(settings, monkeypatch)
    edit_manifest(bundle, edit_format="sweep", fim=asdict(FIM))
    assert "'fim' must name the token file" in refusal(settings, monkeypatch)
    edit_manifest(bundle, fim=asdict(replace(FIM, file=manifest().vocabulary)))
    assert "there is no token" in refusal(settings, monkeypatch)
    edit_manifest(bundle, edit_format="plain", fim=asdict(FIM))
    os.truncate(bundle / GRAPH, 3)
    assert GRAPH in refusal(settings, monkeypatch)


def test_policy_decides(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over the model that suggests."""
    place_policy(tmp_path, monkeypatch).write_text("models = ['larger']\n")
    assert "does not allow the model tiny, only the models larger" in refusal(settings, monkeypatch)
