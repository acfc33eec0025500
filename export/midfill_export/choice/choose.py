"""Which model is best on a machine: the first one, in the order of their quality, that keeps all limits.

The order is that of the figures that are known (:mod:`midfill_export.weights.catalogue`): Qwen2.5-Coder by size, for it
was measured here, and larger ones of a family are better. Granite 4.0 was not measured, and comes last. Models that
nobody has measured here and whose file is not pinned are never chosen; a user may name them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from midfill.common.errors import MidfillError
from midfill.inference.licences import Permit
from midfill_export.choice.estimate import Estimate, estimate
from midfill_export.choice.machine import Machine
from midfill_export.weights.weights import Weights

QUALITY_ORDER = ("7b", "3b", "1.5b", "0.5b", "granite-4.0-micro", "granite-4.0-1b")
"""Names of models, the best first."""
LONGEST_NEW_FILE_MS = 3000
"""Until the first suggestion in a file that was not seen before is complete. One that comes later is not waited for."""
LONGEST_SUGGESTION_MS = 1000
"""For the tokens of a suggestion, after a keystroke in a known file."""
TOO_SLOW, TOO_SLOW_IN_A_NEW_FILE = "too slow", "too slow in a new file"


@dataclass(frozen=True)
class Option:
    """A model, what it would take on a machine, and why it is not to be chosen."""

    weights: Weights
    takes: Estimate | None
    """None if its dimensions are not known."""
    obstacle: str = ""
    """The first limit that it does not keep; "" if it keeps all."""


Allowed = Callable[[Weights], None]
"""Raises a MidfillError if the licence, the use or the administrators' policy forbid a model."""


def options(known: Mapping[str, Weights], machine: Machine, allowed: Allowed) -> list[Option]:
    """Return all models with what stands against each."""
    listed = []
    for weights in known.values():
        takes = estimate(weights.shape, machine) if weights.shape else None
        listed.append(Option(weights, takes, _obstacle(weights, takes, machine, allowed)))
    return listed


def best(listed: Sequence[Option]) -> Option | None:
    """Return the option of the best quality without an obstacle.

    If all others are too slow only, the fastest is better than none. None if no model may be used, or has room.
    """
    by_name = {option.weights.name: option for option in listed}
    ordered = [by_name[name] for name in QUALITY_ORDER if name in by_name]
    fitting = next((option for option in ordered if not option.obstacle), None)
    slow = [option for option in ordered if option.obstacle in (TOO_SLOW, TOO_SLOW_IN_A_NEW_FILE)]
    return fitting or min(slow, key=lambda option: option.takes.new_file_ms if option.takes else 0, default=None)


def use_rules(permit: Permit, require_model: Callable[[str, str], None]) -> Allowed:
    """Return the rules of a user and of the administrators.

    Args:
        permit: What the user does with the model, and whether the user accepts licences that restrict commercial use.
        require_model: Raises an error if the policy forbids a model, by its name and its licence.
    """

    def check(weights: Weights) -> None:
        permit.check(weights.licence, weights.title)
        require_model(weights.title, weights.licence)

    return check


def _obstacle(weights: Weights, takes: Estimate | None, machine: Machine, allowed: Allowed) -> str:
    try:
        allowed(weights)
    except MidfillError:
        return "licence or policy"
    if weights.edit_format != "plain":
        return "for next edits"
    if not weights.fim:
        return "no FIM"
    if takes is None or not weights.sha256:
        return "not pinned" if takes else "dimensions unknown"
    limits = (
        ("memory", max(takes.memory, takes.making), machine.memory),
        ("disk", weights.size + takes.bundle, machine.disk),
        (TOO_SLOW_IN_A_NEW_FILE, takes.new_file_ms, LONGEST_NEW_FILE_MS),
        (TOO_SLOW, takes.suggestion_ms, LONGEST_SUGGESTION_MS),
    )
    return next((name for name, needed, limit in limits if needed > limit), "")
