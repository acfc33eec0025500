"""Messages -> token ids, as the model's own chat template marks them up.

The template is Jinja as transformers has it. Only what the template itself writes can be a control token: a message
that quotes "<|im_end|>" is text, whatever it says. So the template is rendered with marks in place of the messages'
texts, which are put in afterwards.
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
"""Stands for a message's text; private characters, so that trimming and comparing leave it alone."""
_MARKS = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat:
    """Encodes conversations for one model."""

    def __init__(self, template: str, control: Mapping[str, int], encode: Encode, end: str = "") -> None:
        """Read ``template``, in which ``control`` tokens are known by their texts; ``end`` ends a turn.

        Raises:
            ModelError: the model has no template, or one that is not valid.
        """
        if not template:
            raise ModelError("This model cannot answer questions (it has no chat template): export an Instruct model.")
        self._encode = encode
        """Reads control tokens as text."""
        self._end = end
        self._control = control
        longest_first = sorted(filter(None, control), key=len, reverse=True)
        self._splitter = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._template = _compile(template)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the token ids of ``messages`` and of what precedes the answer.

        Raises:
            ModelError: the template does not take these messages.
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
