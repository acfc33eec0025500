"""Faster: the same results in less time."""

from midfill.actions.action import Action, with_definition
from midfill.actions.rewriting import rewriting

FASTER = Action(
    name="faster",
    title="Make faster",
    kind="refactor.rewrite",
    prepare=with_definition,
    read=rewriting("signatures"),
)
