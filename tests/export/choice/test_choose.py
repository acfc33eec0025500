"""Which model is chosen, on made-up machines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.inference.licences import Permit
from midfill.settings.policy import Policy
from midfill_export.choice.choose import Option, best, options, use_rules
from midfill_export.choice.machine import Machine
from midfill_export.weights.known_models import WEIGHTS

GIGABYTE = 1_000_000_000
LAPTOP = Machine(
    bytes_per_second=40 * GIGABYTE, products_per_second=800 * GIGABYTE, memory=12 * GIGABYTE, disk=100 * GIGABYTE
)
WORKSTATION = replace(
    LAPTOP, bytes_per_second=200 * GIGABYTE, products_per_second=8000 * GIGABYTE, memory=60 * GIGABYTE
)
FASTER = replace(LAPTOP, bytes_per_second=60 * GIGABYTE, products_per_second=2000 * GIGABYTE)
NETBOOK = replace(LAPTOP, bytes_per_second=3 * GIGABYTE, products_per_second=40 * GIGABYTE, memory=3 * GIGABYTE)


def listed(machine: Machine, use: str = "personal", accepted: bool = False) -> list[Option]:
    """Return the catalogue with what stands against each model; there is no policy."""
    return options(WEIGHTS, machine, use_rules(Permit(use, accepted), lambda _name, _licence: None))


def chosen(machine: Machine, use: str = "personal", accepted: bool = False) -> str | None:
    """Return the name of the best model."""
    option = best(listed(machine, use, accepted))
    return option.weights.name if option else None


@pytest.mark.parametrize(
    ("machine", "use", "accepted", "name"),
    [
        (WORKSTATION, "personal", False, "7b"),
        (LAPTOP, "personal", False, "1.5b"),
        (FASTER, "personal", True, "3b"),
        (FASTER, "personal", False, "1.5b"),
        (FASTER, "commercial", True, "1.5b"),
        (replace(LAPTOP, memory=2 * GIGABYTE), "personal", False, None),
        (replace(LAPTOP, memory=3 * GIGABYTE), "personal", False, "0.5b"),
        (replace(LAPTOP, disk=GIGABYTE), "personal", False, None),
        (replace(LAPTOP, bytes_per_second=10 * GIGABYTE), "personal", False, "0.5b"),
        (NETBOOK, "personal", False, "0.5b"),
    ],
    ids=[
        "room for all", "prompts take too long", "licence accepted", "licence not accepted", "at work", "no memory",
        "little memory", "no disk", "weights are read slowly", "all too slow: the fastest",
    ],
)  # fmt: skip
def test_best_model(machine: Machine, use: str, accepted: bool, name: str | None) -> None:
    """It is the first in the order of quality that keeps all limits; a slow machine gets the fastest."""
    assert chosen(machine, use, accepted) == name


def test_policy_is_obeyed() -> None:
    """A model that the administrators forbid is not chosen."""
    policy = Policy(file=Path("policy.toml"), exists=True, models=("granite*",))
    option = best(options(WEIGHTS, WORKSTATION, use_rules(Permit(), policy.require_model)))
    assert option is not None
    assert option.weights.name == "granite-4.0-micro"


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [
        ("7b", ""),
        ("3b", "licence or policy"),
        ("stable-code-3b", "licence or policy"),
        ("codellama-7b", "not pinned"),
        ("mellum-4b", "dimensions unknown"),
        ("smollm2-135m", "no FIM"),
        ("sweep-1.5b", "for next edits"),
    ],
)
def test_what_stands_against_a_model(name: str, obstacle: str) -> None:
    """Each has one reason, where speed and room are none."""
    reasons = {option.weights.name: option.obstacle for option in listed(WORKSTATION)}
    assert reasons[name] == obstacle
