"""Ask: a question about the selected code. Further questions can continue the conversation."""

from midfill.actions.action import Action, Need, no_conventions, with_definition

ASK = Action(
    name="ask",
    title="Ask about this code",
    kind="midfill.ask",
    conventions=no_conventions,
    needs=Need.INSTRUCTION,
    prepare=with_definition,
)
