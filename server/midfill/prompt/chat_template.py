"""From messages to token ids, in the format of the model's own chat template.

Only the template itself may write control tokens: a message that contains "<|im_end|>" is plain text. So the template
is rendered with marks in place of the messages' texts (:mod:`midfill.prompt.template_rendering`), and the texts are
inserted afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from midfill.common.errors import ModelError
from midfill.prompt.fim import Encode
from midfill.prompt.template_rendering import MARKS, render


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat:
    """Encodes conversations for one model."""

    def __init__(self, template: str, control: Mapping[str, int], encode: Encode, end: str = "") -> None:
        """Take a template, which is rendered when it is needed.

        Args:
            template: the model's chat template, in Jinja.
            control: the ids of the model's control tokens by their texts.
            encode: encodes text. A control token that the text spells is encoded as plain text.
            end: text of the control token that ends a turn; the template knows it as ``eos_token``.

        Raises:
            ModelError: the model has no template.
        """
        if not template:
            raise ModelError("This model cannot answer questions (it has no chat template): export an Instruct model.")
        self._encode = encode
        self._end = end
        self._control = control
        longest_first = sorted(filter(None, control), key=len, reverse=True)
        self._splitter = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._template = template

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of ``messages`` and of the beginning of the answer's turn.

        Raises:
            ModelError: the template is not valid, or fails on these messages.
        """
        rendered = render(self._template, tuple(message.role for message in messages), self._end)
        ids: list[int] = []
        plain = ""
        for number, piece in enumerate(MARKS.split(rendered)):
            if number % 2:
                plain += messages[int(piece)].content
                continue
            for part in self._splitter.split(piece):
                if part in self._control:
                    ids += [*self._encode(plain), self._control[part]]
                    plain = ""
                else:
                    plain += part or ""
        return [*ids, *self._encode(plain)]
