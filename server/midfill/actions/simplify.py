"""Simplify: the same, shorter and as the language's users write it."""

from midfill.actions.action import Action, with_definition
from midfill.actions.rewriting import declared, rewriting

SIMPLIFY = Action(
    name="simplify",
    title="Simplify",
    kind="refactor.rewrite",
    prepare=with_definition,
    begin=declared,
    read=rewriting("signatures"),
)
