"""The settings that send code to a server: which one, as whom, and for how long it is waited for.

Whoever may set these decides where code goes. So they come from the user's file, or from the editor at its start: a
project can neither set nor change them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any

from midfill.settings import kinds
from midfill.settings.kinds import Kind, about

PROTOCOLS = ("auto", "openai", "llama-server")
_SERVER = re.compile(
    r"https?://([A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?(/[A-Za-z0-9_.~/-]{0,200})?"
)
"""A URL with a host, perhaps a port, and a path; without a password, a query, and whatever else could be sent."""


def _read_url(value: object) -> str:
    """Return the URL of a server without a slash at its end; "" stays as it is."""
    if not isinstance(value, str) or (value and not _SERVER.fullmatch(value)):
        raise ValueError
    return value.rstrip("/")


_URL = Kind("the URL of a server, without a password", {"type": "string"}, _read_url)


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Where the model is, if it is not on this machine."""

    engine: str = field(
        default="",
        metadata=about(
            _URL,
            "address of a server that has the model, vLLM or llama-server, such as `https://coder.example.com`; the"
            " code in prompts is sent to it, and to no other; empty runs the model on this machine",
            needs_reload=True,
        ),
    )
    engine_model: str = field(
        default="",
        metadata=about(
            kinds.text(), "the server's name of the model; empty takes the first one that it lists", needs_reload=True
        ),
    )
    engine_protocol: str = field(
        default="auto",
        metadata=about(
            kinds.choice(*PROTOCOLS),
            "what `engine` and `actionsEngine` speak: `/v1/completions` as vLLM has it, or llama-server's"
            " `/completion`; auto asks the server",
            needs_reload=True,
        ),
    )
    engine_timeout_ms: int = field(
        default=250,
        metadata=about(
            kinds.whole(50, 60_000),
            "milliseconds to wait for each token of a suggestion from `engine`, after which the model on this machine"
            " goes on; without one there, the server gets 10 seconds",
            needs_reload=True,
        ),
    )
    engine_key_file: str = field(
        default="",
        metadata=about(
            kinds.file(),
            "file with the key for `engine`, which only you may read; empty takes the environment variable"
            " `MIDFILL_ENGINE_KEY`, or else what the system's keyring has for `midfill` and the server",
            needs_reload=True,
        ),
    )
    engine_ca_file: str = field(
        default="",
        metadata=about(
            kinds.file(),
            "file with the certificates (PEM) of the authorities that servers are trusted by; empty trusts those of"
            " the system",
            needs_reload=True,
        ),
    )
    engine_certificate: str = field(
        default="",
        metadata=about(
            kinds.file(),
            "file with this client's certificate and its private key (PEM), for servers that ask for one",
            needs_reload=True,
        ),
    )
    actions_engine: str = field(
        default="",
        metadata=about(
            _URL,
            "the same as `engine`, for actions alone; its model may be a larger one; empty uses `actionsBundle` or the"
            " model that suggests",
        ),
    )
    actions_engine_model: str = field(
        default="",
        metadata=about(kinds.text(), "the same as `engineModel`, for `actionsEngine`"),
    )
    actions_engine_key_file: str = field(
        default="",
        metadata=about(
            kinds.file(),
            "the same as `engineKeyFile`, for `actionsEngine`, with the variable `MIDFILL_ACTIONS_ENGINE_KEY`; the"
            " same server gets the same key",
        ),
    )


OF_ENGINES = frozenset(field.name for field in fields(EngineSettings))
"""The attributes of these settings."""


def engine_options(settings: EngineSettings) -> dict[str, Any]:
    """Return these settings by the names that users write."""
    return {kinds.camel(attribute): getattr(settings, attribute) for attribute in sorted(OF_ENGINES)}
