"""Asks at one place after the other until an edit may be shown."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from midfill.common.cancel import CancelFlag
from midfill.common.reasons import Reason
from midfill.next_edit.dismissed import Change, change_of
from midfill.next_edit.places import places
from midfill.next_edit.predictor import EditPredictor
from midfill.next_edit.types import Document, Hunk, NextEdit, Place

_MAX_ASKED = 3
"""Maximum number of places at which the model is asked for one request."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known when the next edit is asked for."""

    documents: Mapping[str, Document]
    """The documents that may be edited, by path, as they are now."""
    cursor: Place
    history: Sequence[Hunk]
    """Recent changes, the latest last."""
    undone: Sequence[Hunk] = ()
    """Changes that the user took back."""
    diagnostics: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Lines of diagnostics that appeared since the changes, by path."""
    dismissed: Container[Change] = ()
    """What the user does not want."""


def search(
    predictor: EditPredictor,
    situation: Situation,
    cancel: CancelFlag,
    *,
    name_of: Callable[[str], str] = lambda path: path,
    seconds: float | None = None,
    on_answer: Callable[[NextEdit], object] = lambda _: None,
) -> NextEdit:
    """Return the first edit that may be shown; if there is none, why there is none at the cursor.

    Args:
        predictor: asks the model.
        situation: what is known.
        cancel: stops the work within a step.
        name_of: returns the name of a document that the prompt has, by its path.
        seconds: maximum time to generate at each place; None for no limit.
        on_answer: called with the predictor's answer at each place that was asked about.

    Raises:
        Cancelled: ``cancel`` was set.
        ModelError: the model failed.
    """
    found = places(
        list(situation.documents.values()),
        situation.history,
        situation.cursor,
        predictor.reach,
        diagnostics=situation.diagnostics,
        limit=_MAX_ASKED,
    )
    first: NextEdit | None = None
    for place in found:
        document = situation.documents[place.path]
        edit = predictor.predict(
            document,
            place,
            situation.history,
            cancel,
            undone=situation.undone,
            name_of=name_of,
            seconds=seconds,
        )
        on_answer(edit)
        if edit.edits and change_of(place.path, document.text, edit.joined(document.text)) in situation.dismissed:
            edit = replace(edit, edits=(), reason=Reason.DISMISSED)
        if not edit.reason:
            return edit
        first = first or edit
    return first or NextEdit(place=situation.cursor, reason=Reason.NO_EDITS)
