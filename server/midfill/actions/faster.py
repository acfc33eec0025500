"""Make faster: the same results in less time."""

from midfill.actions.action import Action, Proves, with_definition
from midfill.actions.rewriting import declared, rewriting

FASTER = Action(
    name="faster",
    title="Make faster",
    kind="refactor.rewrite",
    proves=Proves.FASTER,
    prepare=with_definition,
    begin=declared,
    read=rewriting("signatures"),
)
