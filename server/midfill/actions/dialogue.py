"""The dialogue in which an action is done: the conversation with the model, and the listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from midfill.chat.conversation import ChatAnswer, Conversation
from midfill.common.cancel import CancelFlag
from midfill.inference.sampling import Sampling
from midfill.prompt.chat_template import Message

Listener = Callable[[str], None]


@dataclass(frozen=True)
class Dialogue:
    """A conversation that can be cancelled, and the listeners to what goes on in it."""

    conversation: Conversation
    cancel: CancelFlag
    on_text: Listener
    """Called with each piece of a text that a person reads."""
    on_progress: Listener
    """Called with words that say how far the action is."""

    def of_part(self, number: int, count: int) -> Dialogue:
        """Return the same for one part of a task; its progress names the part if there are several."""
        if count == 1:
            return self
        return replace(self, on_progress=lambda message: self.on_progress(f"{number} of {count}: {message}"))

    def answer(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        enough: Callable[[str], bool],
        *,
        begin: str = "",
        sampling: Sampling | None = None,
        on_text: Listener = lambda _: None,
    ) -> ChatAnswer:
        """Return the model's answer, and report how many tokens it has as it comes.

        The arguments and exceptions are those of :meth:`midfill.chat.conversation.Conversation.answer`.
        """
        tokens = 0

        def listen(text: str) -> None:
            nonlocal tokens
            tokens += 1
            on_text(text)
            self.on_progress(f"{tokens} tokens")

        return self.conversation.answer(
            messages, self.cancel, max_tokens=max_tokens, begin=begin, sampling=sampling, on_text=listen, enough=enough
        )
