"""Licences: which use each one allows, and what a refused user is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.common.errors import LicenceRefused
from midfill.completion.engine import load_engine
from midfill.inference.bundle import WeightSource
from midfill.inference.licences import Commercial, Permit, licence, require_use
from midfill.settings.schema import Settings, read
from unit.helpers import chain_graph, write_bundle


@pytest.mark.parametrize(
    ("name", "model", "commercial"),
    [
        ("apache-2.0", "Qwen2.5-Coder-0.5B-Instruct", "yes"),
        ("Apache-2.0", "", "yes"),
        ("MIT", "anything", "yes"),
        ("llama2", "codellama/CodeLlama-7b-hf", "on terms"),
        ("gemma", "gemma-3-270m", "on terms"),
        ("bigcode-openrail-m", "starcoder2-3b", "on terms"),
        ("other", "stabilityai/stable-code-3b", "no"),
        ("unknown", "stable-code-instruct-3b.Q4_K_M", "no"),
        ("stabilityai-nc-research-community", "new-model", "no"),
        ("cc-by-nc-4.0", "some-model", "no"),
        ("mnpl-0.1", "codestral-22b", "no"),
        ("acme-research-1", "acme", "no"),
        ("cc-by-sa-4.0", "stabilityai/stablelm-3b-4e1t", "yes"),
        ("", "stablecode-completion-alpha-3b-4k", "yes"),
        ("other", "acme/coder", "unknown"),
        ("acme-1.0", "acme/coder", "unknown"),
    ],
)
def test_licence_of_a_model(name: str, model: str, commercial: Commercial) -> None:
    """The licence is found by its name, or by the model's name if the source names no licence."""
    assert licence(name, model).commercial == commercial


def test_restrictive_licence_must_be_accepted() -> None:
    """A licence that restricts commercial use must be accepted once; other licences need not."""
    with pytest.raises(LicenceRefused, match=r"--accept-license.*midfill pull"):
        Permit().check("other", "stable-code-3b")
    with pytest.raises(LicenceRefused, match="says commercial"):
        Permit("commercial", accepted=True).check("other", "stable-code-3b")
    Permit(accepted=True).check("other", "stable-code-3b")
    Permit().check("apache-2.0", "stable-code-3b")
    Permit().check("other", "acme")


@pytest.mark.parametrize(("name", "model"), [("other", "stable-code-3b"), ("unknown", "acme"), ("cc-by-nc-4.0", "a")])
def test_commercial_use_needs_a_licence_that_allows_it(name: str, model: str) -> None:
    """A licence that forbids it or is unknown is refused, with an alternative; for personal use both are allowed."""
    with pytest.raises(
        LicenceRefused, match=r"says commercial and its licence is .*7B are under Apache-2.0, and `midfill pull auto`"
    ):
        require_use(name, model, "commercial")
    require_use(name, model, "personal")
    require_use("llama2", model, "commercial")


def test_bundle_is_refused_for_commercial_use(tmp_path: Path) -> None:
    """The setting ``use`` decides, before the model is loaded."""
    origin = WeightSource(repository="stabilityai/stable-code-3b", file="", sha256="", license="other")
    folder = write_bundle(tmp_path / "b", graph=chain_graph("1"), name="stable-code-3b", source=origin).path
    values, problems = read({"use": "commercial"})
    assert not problems
    with pytest.raises(LicenceRefused, match=r"stable-code-3b is refused.*work needs their membership"):
        load_engine(Settings(bundle=folder, **values))
    assert load_engine(Settings(bundle=folder)).model.manifest.source.license == "other"


@pytest.mark.parametrize("value", ["Commercial", "", 1, None, "work"], ids=repr)
def test_unknown_use_is_reported(value: object) -> None:
    """The message names the allowed values."""
    values, [problem] = read({"use": value})
    assert not values
    assert "'use' must be personal or commercial" in problem
