"""The corpus of ways to write a secret, with values that are made anew and that no service has ever given out."""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("secret_forms.txt")
_LETTERS = string.ascii_letters + string.digits
_WORDS = ("velvet", "otter", "comet", "ladder", "marble", "tundra", "pigeon", "walnut", "copper", "saddle")
_TELLING = 6
"""Characters in a row that tell of a secret; whole ones may be shorter."""


@dataclass(frozen=True)
class Form:
    """A text with a secret in it."""

    language: str
    text: str
    secrets: tuple[str, ...]
    """The secret, or its parts."""

    def is_hidden_in(self, redacted: str) -> bool:
        """Return whether a redacted text has no telling part of the secret."""
        lines = (line for secret in self.secrets for line in secret.split("\n"))
        pieces = (line[n : n + _TELLING] for line in lines for n in range(max(len(line) - _TELLING, 0) + 1))
        return not any(piece in redacted for piece in pieces)


def forms(seed: int = 0) -> Iterator[Form]:
    """Yield all forms; another seed gives other values."""
    _, *sections = re.split(r"^\[(.+)\]\n", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for language, section in zip(sections[::2], sections[1::2], strict=True):
        for number, line in enumerate(filter(None, section.split("\n"))):
            dice = random.Random(f"{language} {number} {seed}")  # noqa: S311 -- the same values each time
            parts = line.replace("⏎", "\n").split("«")
            text, secrets = parts[0], []
            for part in parts[1:]:
                kind, _, rest = part.partition("»")
                secrets.append(_VALUES[kind](dice))
                text += secrets[-1] + rest
            yield Form(language, text, tuple(secrets))


def _random(length: int, alphabet: str = _LETTERS) -> Callable[[random.Random], str]:
    """Return a maker of random characters, with at least one digit and one letter."""
    return lambda dice: "4k" + "".join(dice.choices(alphabet, k=length - 2))


def _base64(dice: random.Random, length: int = 36) -> str:
    return base64.b64encode(dice.randbytes(length)).decode()


def _pem(dice: random.Random) -> str:
    return "\n".join(_base64(dice, 48) for _ in range(3))


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "password": _random(12),
    "strong": lambda dice: _random(8)(dice) + "!-_" + _random(4)(dice),
    "strong40": lambda dice: _random(20)(dice) + "|^)~?," + _random(14)(dice),
    "word": lambda dice: "".join(dice.sample(_WORDS, 2)),
    "hex30": _random(30, string.hexdigits[:16]),
    "hex32": _random(32, string.hexdigits[:16]),
    "hexup": _random(18, string.hexdigits[:16].upper()),
    "hex64": _random(64, string.hexdigits[:16]),
    "phrase12": lambda dice: " ".join(dice.choices(_WORDS, k=12)),
    "phrase": lambda dice: " ".join(dice.sample(_WORDS, 4)),
    "half": _random(10),
    "key": _random(32),
    "key40": _random(40),
    "key43": _random(43),
    "base64": _base64,
    "basic": lambda dice: base64.b64encode(b"bob:" + _random(14)(dice).encode()).decode(),
    "bytes": lambda dice: ", ".join(f"0x{dice.randrange(16, 256):02x}" for _ in range(16)),
    "pem": _pem,
    "pemjson": lambda dice: _pem(dice).replace("\n", "\\n"),
    "base64pem": lambda dice: base64.b64encode(f"-----BEGIN RSA PRIVATE KEY-----\n{_pem(dice)}".encode()).decode(),
    "jwt": lambda dice: f"eyJ{_random(20)(dice)}.eyJ{_random(40)(dice)}.{_random(43)(dice)}",
    "aws": lambda dice: "AKIA" + _random(16)(dice).upper(),
    "github": lambda dice: "ghp_" + _random(36)(dice),
    "slack": lambda dice: "xoxb-" + _random(40)(dice),
    "google": lambda dice: "AIza" + _random(35)(dice),
    "openai": lambda dice: "sk-proj-" + _random(48)(dice),
    "stripe": lambda dice: "sk_live_" + _random(24)(dice),
    "pypi": lambda dice: "pypi-AgEIcHlwaS5vcmc" + _random(60)(dice),
    "hash": lambda dice: "$2b$12$" + _random(53)(dice),
}
"""Kind of value -> a maker of such values."""
