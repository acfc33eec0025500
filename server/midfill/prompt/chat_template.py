"""From messages to token ids, in the format of the model's own chat template.

The template is Jinja, with the additions of transformers. Only the template itself may write control tokens: a message
that contains "<|im_end|>" is plain text. So the template is rendered with marks in place of the messages' texts, and
the texts are inserted afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn

from jinja2 import TemplateError
from jinja2.environment import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from midfill.common.errors import ModelError
from midfill.prompt.fim import Encode

_MARK = "\ue000{}\ue001"
"""Stands for a message's text. It has private characters, so that a template neither trims nor recognises it."""
_MARKS = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat:
    """Encodes conversations for one model."""

    def __init__(self, template: str, control: Mapping[str, int], encode: Encode, end: str = "") -> None:
        """Compile ``template``.

        Args:
            template: the model's chat template, in Jinja.
            control: the ids of the model's control tokens by their texts.
            encode: encodes text. A control token that the text spells is encoded as plain text.
            end: text of the control token that ends a turn; the template knows it as ``eos_token``.

        Raises:
            ModelError: the model has no template, or an invalid one.
        """
        if not template:
            raise ModelError("This model cannot answer questions (it has no chat template): export an Instruct model.")
        self._encode = encode
        self._end = end
        self._control = control
        longest_first = sorted(filter(None, control), key=len, reverse=True)
        self._splitter = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._template = _compile(template)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of ``messages`` and of the beginning of the answer's turn.

        Raises:
            ModelError: the template fails on these messages.
        """
        marked = [{"role": m.role, "content": _MARK.format(number)} for number, m in enumerate(messages)]
        try:
            rendered = self._template.render(
                messages=marked, add_generation_prompt=True, bos_token="", eos_token=self._end, tools=None
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ModelError(
                f"The model's chat template fails ({type(error).__name__}): export another model."
            ) from error
        ids: list[int] = []
        plain = ""
        for number, piece in enumerate(_MARKS.split(rendered)):
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


def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(template)
    except TemplateError as error:
        raise ModelError("The model's chat template is not valid: export another model.") from error


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
