"""The settings of the next edit: which bundle its model has."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.paths import bundles_dir
from midfill.settings.schema import Settings, read


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder for this test."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


def bundle_of(value: object) -> Path | None:
    """Read the setting, and return the bundle's folder."""
    values, problems = read({"nextEditModel": value})
    assert problems == []
    return Settings(**values).next_edit_bundle


def test_name_is_that_of_a_pulled_model() -> None:
    """Its bundle is where `midfill pull` puts it, and the advice names the command."""
    assert bundle_of("sweep-0.5b") == bundles_dir() / "sweep-0.5b"
    assert Settings(next_edit_model="sweep-0.5b").next_edit_advice == "get it with `midfill pull sweep-0.5b`"


def test_path_is_that_of_a_bundle(tmp_path: Path) -> None:
    """A tilde is the home folder; a path has no command."""
    assert bundle_of(str(tmp_path / "mine")) == tmp_path / "mine"
    assert bundle_of("~/mine") == Path.home() / "mine"
    assert bundle_of("./mine") == Path("mine")
    assert "`midfill export`" in Settings(next_edit_model=str(tmp_path / "mine")).next_edit_advice


def test_empty_is_the_model_that_suggests() -> None:
    """That is the default."""
    assert (bundle_of(""), Settings().next_edit_bundle) == (None, None)


@pytest.mark.parametrize("value", [None, 3, ["sweep-0.5b"], "a\0b", True], ids=repr)
def test_wrong_value_is_reported(value: object) -> None:
    """In one line, and ignored."""
    values, [problem] = read({"nextEditModel": value})
    assert values == {}
    assert "'nextEditModel' must be the name of a pulled model, the path of a bundle" in problem
