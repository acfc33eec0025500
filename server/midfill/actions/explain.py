"""Explain: what the selected code does, in prose."""

from midfill.actions.action import Action, with_definition

EXPLAIN = Action(name="explain", title="Explain", kind="midfill.explain", prepare=with_definition)
