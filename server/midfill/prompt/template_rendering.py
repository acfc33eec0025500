"""Rendering of a model's chat template, in bounded time and memory, whatever the template is.

A template comes with a model, so a stranger may have written it. Jinja's sandbox keeps it from the system, but lets it
loop for ever and fill the memory. So it is rendered in a child process with limits. It sees the roles of the messages
and marks in place of their texts, and it is rendered once for each sequence of roles.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from functools import lru_cache

from midfill.common import background
from midfill.common.child_programs import python_module
from midfill.common.errors import ModelError

MARK = "\ue000{}\ue001"
"""Stands for a message's text. It has private characters, so that a template neither trims nor recognises it."""
MARKS = re.compile("\ue000(\\d{1,6})\ue001")
_SECONDS = 20.0
"""A template takes milliseconds. Python itself may take seconds to start on a busy machine."""


@lru_cache(64)
def render(template: str, roles: tuple[str, ...], end: str) -> str:
    """Return the text of a conversation, with a mark in place of each message's text.

    Args:
        template: a chat template, in Jinja with the additions of transformers.
        roles: of the messages.
        end: the template's variable ``eos_token``.

    Raises:
        ModelError: the template is not valid, fails on these messages, or exceeds a limit.
    """
    asked = json.dumps({"template": template, "messages": _marked(roles), "end": end})
    try:
        child = subprocess.run(  # noqa: S603 -- our own module in our own interpreter
            python_module("midfill.prompt.template_child"),
            input=asked.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
            creationflags=background.no_window(),
        )
        answer = json.loads(child.stdout)
    except subprocess.TimeoutExpired as error:
        raise ModelError("The model's chat template takes too long: export another model.") from error
    except ValueError as error:  # a limit has ended the child
        raise ModelError("The model's chat template takes too much memory or time: export another model.") from error
    if fault := answer.get("fault"):
        raise ModelError(f"The model's chat template fails ({fault}): export another model.")
    text = str(answer["text"])
    if any(int(number) >= len(roles) for number in MARKS.findall(text)):
        raise ModelError("The model's chat template makes up messages: export another model.")
    return text


def _marked(roles: Sequence[str]) -> list[dict[str, str]]:
    return [{"role": role, "content": MARK.format(number)} for number, role in enumerate(roles)]
