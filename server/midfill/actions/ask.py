"""Ask: a question about the selected code, in a conversation that goes on."""

from midfill.actions.action import Action, with_definition

ASK = Action(name="ask", title="Ask about this code", kind="midfill.ask", needs="instruction", prepare=with_definition)
