"""The child process that renders a chat template: reads it as JSON from standard input, and writes JSON.

See :mod:`midfill.prompt.template_rendering`.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MAX_BYTES = 1 << 30
"""Memory of this process."""
_MAX_SECONDS = 5
"""Processor time of this process."""
_MAX_CHARACTERS = 1_000_000
"""Number of characters of the text. No model reads so many."""


def render(template: str, messages: list[dict[str, str]], end: str) -> str:
    """Return what a template makes of messages, with the beginning of the answer's turn.

    Raises:
        Exception: whatever the template does wrong.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    text = environment.from_string(template).render(
        messages=messages, add_generation_prompt=True, bos_token="", eos_token=end, tools=None
    )
    if len(text) > _MAX_CHARACTERS:
        raise ValueError("too long")
    return text


def limit_resources() -> None:
    """Let the system end this process when it takes too much. macOS limits only the time, Windows neither."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 -- Windows does not have it

    for kind, most in ((resource.RLIMIT_AS, _MAX_BYTES), (resource.RLIMIT_CPU, _MAX_SECONDS)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """Render what standard input asks for; say only the kind of a fault, which no template can choose."""
    limit_resources()
    asked = json.loads(sys.stdin.buffer.read())
    answer: dict[str, str]
    try:
        answer = {"text": render(asked["template"], asked["messages"], asked["end"])}
    except Exception as error:  # a template may do anything
        answer = {"fault": type(error).__name__}
    sys.stdout.write(json.dumps(answer))


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


if __name__ == "__main__":
    main()
