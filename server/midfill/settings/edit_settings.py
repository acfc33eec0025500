"""The settings of the next edit: whether one is predicted, by which model, and how sure that must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from midfill.common.paths import bundles_dir
from midfill.settings import kinds
from midfill.settings.kinds import Kind, about


def _read_model(value: object) -> str:
    """Return the name or the path as it was written; "" for none."""
    if value != "":
        kinds.folder().read(value)
    return str(value)


def _is_name(model: str) -> bool:
    """Return whether a text is no path."""
    return Path(model).name == model and not model.startswith(("~", "."))


_MODEL = Kind('the name of a pulled model, the path of a bundle, or ""', {"type": "string"}, _read_model)


@dataclass(frozen=True, kw_only=True)
class EditSettings:
    """When an edit is offered, and which model predicts it."""

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
    next_edit_model: str = field(
        default="",
        metadata=about(
            _MODEL,
            "a model of its own for next edits, such as `sweep-0.5b` after `midfill pull sweep-0.5b`, or the folder of"
            " a bundle; empty uses the model that suggests",
        ),
    )
    next_edit_megabytes: int = field(
        default=2048,
        metadata=about(
            kinds.whole(1, 1_048_576),
            "maximum memory for the model of `nextEditModel`, in megabytes; it is computed before the model is loaded,"
            " and a model that needs more is not loaded",
        ),
    )

    @property
    def next_edit_bundle(self) -> Path | None:
        """The folder of the bundle that ``next_edit_model`` names; None if it names none."""
        if not self.next_edit_model:
            return None
        if _is_name(self.next_edit_model):
            return bundles_dir() / self.next_edit_model
        return Path(self.next_edit_model).expanduser()

    @property
    def next_edit_advice(self) -> str:
        """What gets the bundle that ``next_edit_model`` names, as a clause."""
        if _is_name(self.next_edit_model):
            return f"get it with `midfill pull {self.next_edit_model}`"
        return "make one with `midfill pull` or `midfill export`, or set 'nextEditModel' to another folder"
