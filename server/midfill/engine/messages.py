"""What a server and its engine process say to each other: small values as JSON, and token ids as raw bytes.

A message is the length of its JSON header, the header, and the arrays one after the other. Reading one runs no code
that the other side chooses, as unpickling would.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

import cattrs
import numpy as np
from numpy.typing import NDArray

from midfill.inference.prompt_lookup import NO_DRAFTS
from midfill.inference.sampling import Sampling

MAX_BYTES = 16_000_000
"""Maximum size of a message. The largest one has a prompt and the drafts of all open documents."""
_LENGTH = struct.Struct("<I")
_TOKENS = np.dtype("<i4")


class BadMessage(Exception):
    """What came is no message of this protocol."""


@dataclass(frozen=True, kw_only=True)
class Join:
    """From a server, first of all: let me use the model."""

    keep_seconds: float
    """How long the engine stays without clients after its last work."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """From the engine: the model is loaded."""

    threads: int
    process: int


@dataclass(frozen=True, kw_only=True)
class Refused:
    """From the engine: there is no model, for this reason."""

    why: str
    changed: bool
    """Whether the reason is that the bundle is another one by now."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """From a server, once for each connection: make a generator, as ``LanguageModel.new_generator`` describes it."""

    context: int
    cache_bytes: int
    max_draft_tokens: int
    long_work: bool
    """Whether each step waits behind typing."""


@dataclass(frozen=True, kw_only=True)
class Generate:
    """From a server: generate text, as ``TokenGenerator.generate`` does."""

    number: int
    """The request's number. Numbers rise, and the answers have the same one."""
    document: str
    max_tokens: int
    stop_tokens: list[int]
    required_prefix: str
    sampling: Sampling | None
    ahead: bool
    prompt: NDArray[np.int32]
    drafts: NDArray[np.int32] = field(default_factory=lambda: NO_DRAFTS)


@dataclass(frozen=True, kw_only=True)
class Prefill:
    """From a server: compute a prompt ahead, as ``TokenGenerator.prefill`` does."""

    number: int
    document: str
    prompt: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Score:
    """From a server: say how likely a text is, as ``TokenGenerator.score`` does."""

    number: int
    prompt: NDArray[np.int32]
    text: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """From a server: stop a request, as ``CancelFlag.set`` does."""

    number: int
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class Ping:
    """From a server that has heard nothing for long: say that you are still there."""


@dataclass(frozen=True, kw_only=True)
class Pong:
    """From the engine: I am."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a request took so far: see ``GenerationStats``."""

    reused_tokens: int = 0
    prefill_seconds: float = 0.0
    steps: int = 0
    readings: list[tuple[int, float, float]] = field(default_factory=list)
    """New arguments for ``PrefillMeter.learn``."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """From the engine: the next token."""

    number: int
    values: list[float]
    """The fields of a ``Choice``, or of a ``ScoredToken``."""
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Ended:
    """From the engine: the request has ended."""

    number: int
    figures: Figures
    cancelled: bool = False
    failure: str = ""
    """Why the model failed, as a sentence for the user; "" if it did not."""


Work = Generate | Prefill | Score
Message = Join | Ready | Refused | Open | Generate | Prefill | Score | Cancel | Ping | Pong | Token | Ended
_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in get_args(Message)}
_ARRAYS = ("prompt", "drafts", "text")
"""The fields that are raw bytes, in their order."""

_converter = cattrs.Converter(forbid_extra_keys=True)


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


_converter.register_structure_hook_func(_is_array, lambda value, _: value)


def encode(message: Message) -> bytes:
    """Return the bytes of a message."""
    fields = {each.name: getattr(message, each.name) for each in dataclasses.fields(message)}
    arrays = {name: np.asarray(fields.pop(name), _TOKENS) for name in _ARRAYS if name in fields}
    sizes = {name: len(array) for name, array in arrays.items()}
    values = json.dumps({"is": type(message).__name__, "has": fields, "sizes": sizes}, default=dataclasses.asdict)
    header = values.encode()
    return b"".join([_LENGTH.pack(len(header)), header, *(array.tobytes() for array in arrays.values())])


def decode(data: bytes) -> Message:
    """Return the message that ``data`` is.

    Raises:
        BadMessage: it is none.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        header = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        arrays = _arrays(header["sizes"], data[_LENGTH.size + length :])
        message: Message = _converter.structure({**header["has"], **arrays}, _KINDS[header["is"]])
    except Exception as error:  # whatever is wrong with foreign bytes, they are no message
        raise BadMessage(type(error).__name__) from error
    return message


def _arrays(sizes: dict[str, int], data: bytes) -> dict[str, NDArray[np.int32]]:
    """Cut ``data`` into the arrays whose lengths ``sizes`` has by name."""
    if sum(sizes.values()) * _TOKENS.itemsize != len(data) or min(sizes.values(), default=0) < 0:
        raise ValueError
    ends = np.cumsum(list(sizes.values()))
    return dict(zip(sizes, np.split(np.frombuffer(data, _TOKENS), ends[:-1]), strict=True)) if sizes else {}
