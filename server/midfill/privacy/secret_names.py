"""Names that tell of a secret: ``DB_PASSWORD``, ``apiKey``, ``spring.datasource.password``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_HINTS = (
    "pass", "pwd", "pw", "secret", "token", "key", "cred", "auth", "bearer", "salt", "psk", "pepper", "_pat", "seed",
    "mnemonic", "contrase", "kennwort", "senha", "wachtwoord", "identified", "пароль", "密码", "パスワード",
)  # fmt: skip
"""Each telling name has one of these in lower case. To look them up is much faster than to search for names."""
_LOGINS = (  # what "pass" is of
    "db|user|usr|store|key|ssh|pg|my|root|admin|smtp|e?mail|ftp|login|proxy|bind|ldap|sql|become|sudo|wifi|redis|mongo"
    "|rabbit|mq|mqtt|http|https|rpc|svc|service|trust_?store|key_?store|mysql|postgres|pgsql|auth|imap|git|svn|vpn|su|require"
)
_PASSWORD = "|".join(
    (
        "pass_?(?:word|wd|wort|phrase|code)|passkey|pwd",
        "kennwort|contrase[nñ]a|mot_?de_?passe|senha|wachtwoord|пароль|密码|パスワード",
        "mnemonic|seed_phrase|(?:^|_)psk$|(?:^|_|^db|^my|^user|^root|^admin)pw$|^identified$|^masterauth$",
        f"^pass$|(?:^|_)(?:{_LOGINS})_?pass$",
    )
)
_KEY_OWNERS = (
    "api|access|auth(?:entication)?|priv(?:ate)?|service|account|encr(?:yption|ypt)?|decryption|sign(?:ing|ature)?|licen[sc]e|master"
    "|shared|client|app(?:lication)?|consumer|webhook|session|hmac|aes|rsa|jwt|jws|cipher|crypto|storage|subscription"
    "|instrumentation|deploy|ssh|gpg|admin|root|secret|recaptcha|stripe|sendgrid|twilio|mailgun|openai|anthropic"
    "|github|google|firebase|azure|aws|gcp|algolia|datadog|sentry|fernet|flask|django|rails|wallet|write|project"
    "|bot|device|validation|machine"
)
_SECRET = "|".join(
    (
        "secret|token(?!i[sz])|credential|bearer|authorization|(?:^|_)(?:creds?|auth|salt|pepper)$|(?:^|git_?hub_|git_?lab_|azure_|gh_|devops_)pat$",
        f"(?:^|_|[a-z])(?:{_KEY_OWNERS})_?key",
        "cookie_?salt|(?:otp|totp|mfa)_?seed",
    )
)
_KINDS = (("password", re.compile(_PASSWORD)), ("secret", re.compile(_SECRET)), ("key", re.compile("(?:^|_)key$")))
"""Kind of secret, and what its names contain; names are in lower case with ``_`` between words."""
_QUESTION = re.compile(r"split|(?:find|get|parse|read|prompt|ask|input|is|has|load|fetch|format|quote|escape|make)_")
"""What a call that returns a secret begins with: its arguments are none."""
_BEFORE = re.compile(r"[\w.-]{0,60}")
_AFTER = re.compile(r"\w{0,40}(?:-\w{1,40}){0,4}")
_FIRST_WORD = re.compile(r"(?:api|access|secret|private|signing|encryption|license|auth)[ -]\Z", re.IGNORECASE)
"""What a sentence has before the word "key"."""
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class TellingName:
    """A name in a text that tells of a secret."""

    start: int
    end: int
    kind: str
    """``password``, ``secret`` or ``key``."""
    words: str
    """The name after its last dot, in lower case, with ``_`` between its words."""


def telling_names(text: str) -> Iterator[TellingName]:
    """Yield the names that tell of a secret, each once, in no particular order."""
    lower = _lower(text)
    seen: set[int] = set()
    for hint in _HINTS:
        found = lower.find(hint)
        while found >= 0:
            after = _AFTER.match(text, found)
            end = after.end() if after else found
            if end not in seen:
                seen.add(end)
                before = _BEFORE.match(text[max(found - 60, 0) : found][::-1])
                start = found - (before.end() if before else 0)
                start += len(text[start:found]) - len(text[start:found].lstrip("-."))
                if text[start:end] == "key" and (first := _FIRST_WORD.search(text, max(start - 12, 0), start)):
                    start = first.start()
                if known := _kind_of(text[start:end]):
                    yield TellingName(start, end, *known)
            found = lower.find(hint, max(end, found + 1))


@lru_cache(4096)
def _kind_of(name: str) -> tuple[str, str] | None:
    """Return the kind of secret that a name tells of, and the name's words; None for other names."""
    words = _SEPARATORS.sub("_", _WORD_STARTS.sub("_", name.rpartition(".")[2])).strip("_").lower()
    if "public_key" in words or _QUESTION.match(words):
        return None
    return next(((kind, words) for kind, pattern in _KINDS if pattern.search(words)), None)


def _lower(text: str) -> str:
    """Return a text in lower case with the same length: a few letters have a longer lower case, and stay."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
