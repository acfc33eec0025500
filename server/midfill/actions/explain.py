"""Explain: describe in prose what the selected code does."""

from midfill.actions.action import Action, no_conventions, with_definition

EXPLAIN = Action(
    name="explain",
    title="Explain",
    kind="midfill.explain",
    prepare=with_definition,
    conventions=no_conventions,
)
