"""Finds out, once, which kind of server answers at an address, and whether its model has the tokens of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from midfill.common.printable import printable
from midfill.inference.tokenizer import ModelTokenizer
from midfill.remote.answers import Dialect
from midfill.remote.failure import Failed
from midfill.remote.llama_dialect import LlamaServerDialect
from midfill.remote.openai_dialect import OpenAiDialect

SAMPLE = "def mean(values: list[float]) -> float:\n    total = sum(values)  # naïve\n    return total / len(values)\n"
"""A text whose tokens differ between tokenizers."""
_SECONDS = 5.0
"""Time limit of each question."""
_LLAMA_SERVER = "llamacpp"
_MAX_NAME = 100
_NOT_THERE = (404, 405, 501)


class Asks(Protocol):
    """Asks a server: :meth:`midfill.remote.connection.Connection.answer`."""

    async def __call__(self, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Return the JSON object that it answers."""


@dataclass(frozen=True)
class Found:
    """What is known about a server."""

    dialect: Dialect
    kind: str
    """The kind of the server, in words."""
    model: str
    """The server's name of the model; "" if it has none."""
    context: int
    """Maximum number of tokens of a prompt together with the text after it; 0 if it is not known."""


async def probe(ask: Asks, protocol: str, model: str, tokenizer: ModelTokenizer) -> Found:
    """Ask a server what it is.

    Args:
        ask: asks the server.
        protocol: the setting ``engineProtocol``.
        model: the server's name of the model; "" takes the first that it lists.
        tokenizer: the tokenizer whose tokens are going to be sent.

    Raises:
        Failed: it cannot be used, or its model has other tokens.
    """
    listed = await _ask_if_there(ask, "GET", "/v1/models", None)
    entries = [entry for entry in _list(listed.get("data")) if isinstance(entry.get("id"), str)]
    if protocol == "auto":
        protocol = "llama-server" if _is_llama_server(entries) or not listed else "openai"
    if protocol == "llama-server":
        return await _llama_server(ask, model or _first_name(entries), tokenizer)
    return await _openai(ask, entries, model, tokenizer)


async def _openai(ask: Asks, entries: list[dict[str, Any]], model: str, tokenizer: ModelTokenizer) -> Found:
    name = model or _first_name(entries)
    if not name:
        raise Failed("it lists no model: set 'engineModel'")
    entry = next((entry for entry in entries if entry["id"] == name), None)
    if entry is None and entries:
        others = ", ".join(_shown(entry["id"]) for entry in entries[:5])
        raise Failed(f"it has no model '{_shown(name)}': set 'engineModel' to one that it has ({others})")
    entry = entry or {}
    body = {"model": name, "prompt": SAMPLE, "add_special_tokens": False}
    _require_same_tokens(await _ask_if_there(ask, "POST", "/tokenize", body), tokenizer.encode, name)
    kind = "vLLM" if entry.get("owned_by") == "vllm" else "a server with OpenAI's /v1/completions"
    return Found(OpenAiDialect(name), kind, name, _size(entry.get("max_model_len")))


async def _llama_server(ask: Asks, name: str, tokenizer: ModelTokenizer) -> Found:
    properties = await ask("GET", "/props", None, _SECONDS)
    body = {"content": SAMPLE, "add_special": False, "parse_special": False}
    _require_same_tokens(await ask("POST", "/tokenize", body, _SECONDS), tokenizer.encode, name)
    defaults = properties.get("default_generation_settings")
    context = _size(defaults.get("n_ctx")) if isinstance(defaults, dict) else 0
    dialect = LlamaServerDialect(tokenizer.encode, tokenizer.vocabulary.text)
    return Found(dialect, "llama-server", name, context)


async def _ask_if_there(ask: Asks, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a server answers; nothing if it does not know the question."""
    try:
        return await ask(method, path, body, _SECONDS)
    except Failed as failure:
        if failure.status in _NOT_THERE:
            return {}
        raise


def _require_same_tokens(answer: dict[str, Any], encode: Callable[[str], list[int]], name: str) -> None:
    """Refuse a model whose tokens are others.

    Raises:
        Failed: they are.
    """
    tokens = answer.get("tokens")
    if isinstance(tokens, list) and tokens != encode(SAMPLE):
        raise Failed(
            f"the tokens of its model '{_shown(name)}' are not those of your bundle: set 'bundle' to one with its"
            " tokenizer (`midfill pull MODEL --tokenizer-only`)"
        )


def _is_llama_server(entries: list[dict[str, Any]]) -> bool:
    return any(entry.get("owned_by") == _LLAMA_SERVER for entry in entries)


def _list(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _first_name(entries: list[dict[str, Any]]) -> str:
    return str(entries[0]["id"]) if entries else ""


def _shown(name: str) -> str:
    return printable(name)[:_MAX_NAME]


def _size(value: Any) -> int:
    return value if type(value) is int and 0 < value < 1 << 31 else 0
