"""Ask: a question about the selected code. Further questions can continue the conversation."""

from midfill.actions.action import Action, Need, with_definition

ASK = Action(
    name="ask",
    title="Ask about this code",
    kind="midfill.ask",
    needs=Need.INSTRUCTION,
    prepare=with_definition,
)
