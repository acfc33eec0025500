"""The settings of the next edit: whether one is predicted, and how sure the model must be."""

from __future__ import annotations

from dataclasses import dataclass, field

from midfill.settings import kinds
from midfill.settings.kinds import about


@dataclass(frozen=True, kw_only=True)
class EditSettings:
    """When an edit is offered."""

    next_edit: bool = field(
        default=False,
        metadata=about(
            kinds.flag(),
            "whether the change that you are likely to make next is predicted from those you made, at the cursor or"
            " elsewhere, and offered in editors that show such edits",
            workspace_may="turn it off",
        ),
    )
    next_edit_confidence: float = field(
        default=0.8,
        metadata=about(
            kinds.number(0, 1),
            "minimum probability that all lines of a predicted edit are correct; a less likely edit is not offered",
            workspace_may="raise it",
        ),
    )
