"""Explain: describe in prose what the selected code does."""

from midfill.actions.action import Action, with_definition

EXPLAIN = Action(name="explain", title="Explain", kind="midfill.explain", prepare=with_definition)
