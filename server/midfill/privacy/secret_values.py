"""Tells values that may be secrets from names, types, placeholders, look-ups and sentences.

All of it looks at one short value and the name before it. The rules were tuned on real code: see the figures in
docs/privacy.md.
"""

from __future__ import annotations

import base64
import math
import re
from collections import Counter
from enum import IntEnum

_MIN_PASSWORD = 4
_MIN_BARE_WORD = 6
"""Minimum number of characters of a password without quotes and without a digit."""
_MIN_SECRET = 8
_MIN_SECRET_ENTROPY = 2.5
_MIN_KEY = 24
"""Minimum number of characters of the value of something that is only called a key."""
_MIN_WORDS_OF_KEY = 16
"""Minimum number of characters of a key without a digit."""
_MIN_OTHER_LETTERS = 3
"""Minimum number of letters and digits besides words such as "access" and "token"."""
_MIN_PHRASE = 12
"""Minimum number of characters of a pass phrase with blanks."""

_NAMES_NO_SECRET = re.compile(
    r"(?:file|path|dir|folder|url|uri|link|endpoint|host|port|name|type|kind|field|header|prefix|suffix|length|len|size"
    r"|regex|re|pattern|label|param|params|id|ids|class|format|error|err|message|msg|help|hint|prompt|title|text|column"
    r"|count|index|list|policy|expiry|expires|used|changed|updated|created|at|expiration|ttl|age|scope|scopes|store|manager|mgr|provider|algorithm|algo"
    r"|version|env|var|variable|map|enum|description|placeholder|strength|rule|rules|validator|input|box|form|page"
    r"|view|reset|status|state|mode|method|backend|usage|hash_algorithm|ref|locator|xpath|selector|attr|attribute"
    r"|permission|role|event|action|command|cmd|option|flag|arg|argument|getter|callback|handler|template|display"
    r"|char|chars|separator|sep|delimiter|encoding|charset|style|icon|color|colour|test|mask|start|end|source|src|"
    r"category|group|owner|issuer|audience|realm|not_found|required|reader|writer|line|tag|comment|config|cfg|settings|opts|lines)$"
)
"""Ends of names, in lower case with ``_`` between words, whose values tell of secrets and are none."""
_PLURAL = re.compile(r"(?<!password)(?<!passphrase)(?<!secret)(?<!_key)(?<!s)s$")
"""Names of several things. Only some of them are lists of secrets."""
_PLACEHOLDER = re.compile(
    r"(?i)(?:"
    # types and constants
    r"str(?:ing)?|text|bytes?|char|u?int|float|double|number|bool(?:ean)?|none|null|nil|undefined|nullptr|true|false|yes|no"
    r"|on|off|optional|required|any|object|self|this|default|(?:u?int|float|bytes)\d+|utf-?\d+|latin-?\d|varchar"
    r"|\w{1,30}\[.*\]|define|undef|localhost"
    # words for a value that is not there
    r"|example|sample|dummy|change_?-?(?:me|it|this)|todo|fixme|tbd|placeholder|redacted|hidden|masked|omitted|removed"
    r"|unset|empty|unknown|invalid|wrong|disabled|enabled|auto|x+|\*+|\.+|-+|_+|#+"
    # algorithms and schemes
    r"|basic|bearer|digest|(?:s?cram-)?(?:md5|sha-?\d+)|plain|xoauth2|ntlm|[hr]s\d+|aes-?\d*"
    # what is filled in
    r"|<[^<>]*>?|\{.*\}|\[[\w ,.]{0,20}\]|\([\w ,.]{0,20}\)|\$\w*(?:[.-]\w+)*|\$[({].*|%\w*%?|%\(.*"
    r"|%[sdr].*|&\w+;?|@\w+@|!\w+|[*&]+\w+"
    r"|(?:self|this|os|env|process|config|settings|secrets|vault|var|args|options|request|req|data|params|local|module"
    r"|context|ctx|user)\..*"
    # addresses and paths
    r"|https?:.*|file:.*|urn:.*|\.{1,2}/.*|~/.*|[a-z]:\\.*|\d+(?:\.\d+){2,}|[\w-]+(?:\.[\w-]+)*:\d{2,5}"
    r"|(?:my|your|a|the|some|test|foo|bar|baz|insert|enter|replace)?"
    r")(?:[-_ ]?(?:here|value|goes|string))?"
)
"""Values that stand for a secret or a type; the whole value must match."""
_PATH = re.compile(
    r"/?(?:[a-z_.-]+\d{0,3}|[A-Z][A-Z_.-]*|[A-Z][a-z]+)"
    r"(?:/(?:[a-z_.-]+(?:\d{1,3}(?:\.[a-z]{1,5})?)?|\d{1,4}|[A-Z][A-Z_.-]*|[A-Z][a-z]+))+/?"
)
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w{0,40}(?:(?:\.|::|->)[A-Za-z_]\w{0,40})+")
_IDENTIFIER = re.compile(r"_{0,2}(?:(?:[A-Z]?[a-z]{2,}(?![a-z])|[A-Z]{2,}(?![A-Za-z]))\d{0,3}(?:_\d{0,2})?)+[A-Z]{0,3}")
"""A variable or a class, such as ``new_token2`` or ``Token2Vec``."""
_SEPARATED = re.compile(r"[A-Za-z]+(?:[-_.: /][A-Za-z]+)*[-_.:*?]?")
_WORDS = re.compile(
    r"(?i)pass(?:word|wd|phrase|code|wort)?|pwd|secrets?|tokens?|credentials?|bearer|api|auth(?:orization|entication)?|key"
    r"|private|public|access|client|user(?:name)?|your|my|example|refresh|session|id|csrf|oauth2?|x5c|b64|base64|sha\d+"
)
_SENTENCE = re.compile(
    r"(?i)\b(?:an?|the|your?|is|are|was|be|must|not|no|please|enter|type|invalid|wrong|missing|pass(?:word|phrase|code)s?"
    r"|secrets?|tokens?|keys?|users?|used?|with|and|or|from|this|that|least|characters?|new|old|current|confirm|again"
    r"|repeat|forgot|reset|change|incorrect|required|optional|to|for|of|in|on|by|if|it|as|at|when|will|can|cannot|failed"
    r"|error|login|sign|show|hide|set|get|select|string|value|de|la|le|el|der|die|das|ein|een|het)\b|[.?!:;,]$|[%{}<>()=|\n\\\[\]]"
)
"""What tells a sentence, or code, from a pass phrase."""
_OWN_KEY = re.compile(r"(?:secret|(?:signing|encryption|jwt|private|master|session|hmac|secret)_?key)(?:_base)?$")
"""Names of keys that somebody may have made of words."""
_MAX_OTHER_SHARE = 0.25
"""Maximum share of a text's characters that are not UTF-8, or control characters; of random bytes it is over half."""
_CONTROL = frozenset(map(chr, range(32))) - frozenset("\t\n\r")
_NO_LETTERS = re.compile(r"[\W_]")
_FORMATTED = re.compile(r"[{}]|\(\?|\w[=!<>]=+\w|%\(|%[sdr]\b|\$\{|\$\(|<%|#\{|<[\w-]+>")


Secret = tuple[int, int, str]
"""A secret's start, end and kind."""


class Shape(IntEnum):
    """What a password may be at a place, besides random characters."""

    RANDOM = 0
    NUMBERED = 1
    """A word with a number, such as ``swordfish42``: where code would hardly have a variable of such a name."""
    WORD = 2
    """Any word."""


def looks_secret(kind: str, name: str, value: str, shape: Shape, *, quoted: bool = True) -> bool:
    """Return whether ``value``, assigned to ``name``, may be a secret and not a name, a type or a placeholder.

    Args:
        kind: ``password``, ``secret`` or ``key``. A password may be short, and a word. What is only called a key may
            be that of a table: it must be long and random.
        name: the name, in lower case with ``_`` between its words; "" if there is none.
        value: the value. Quotes around it do not count.
        shape: what a password may be at this place.
        quoted: whether the value had quotes. Without them it has at least six characters, and may be an expression.
    """
    value = value.strip("\"'`\\")
    has_digit = any(map(str.isdigit, value))
    may_be_word = shape is Shape.WORD or (shape is Shape.NUMBERED and has_digit and kind == "password")
    may_be_variable = not may_be_word or (kind != "password" and not quoted)
    if _is_ordinary(name, value) or (may_be_variable and _IDENTIFIER.fullmatch(value)):
        return False
    is_words = not has_digit and bool(_SEPARATED.fullmatch(value))
    if kind == "password":
        if " " in value:
            return _is_phrase(value)
        return len(value) >= (_MIN_PASSWORD if quoted else _MIN_BARE_WORD) and (may_be_word or not is_words)
    if kind == "key":
        return quoted and len(value) >= _MIN_KEY and value.isalnum() and is_random(value)
    may_be_words = may_be_word and bool(_OWN_KEY.search(name))
    if " " in value:
        return may_be_words and _is_phrase(value)
    is_long = len(value) >= _MIN_SECRET and entropy(value) >= _MIN_SECRET_ENTROPY
    return is_long and (has_digit or (quoted and len(value) >= _MIN_WORDS_OF_KEY and (may_be_words or not is_words)))


def _is_phrase(value: str) -> bool:
    return len(value) >= _MIN_PHRASE and not _SENTENCE.search(value)


def _is_ordinary(name: str, value: str) -> bool:
    """Return whether a name has no secrets, or a value stands for another one or says no more than the name."""
    return bool(
        _NAMES_NO_SECRET.search(name)
        or _PLURAL.search(name)
        or _PLACEHOLDER.fullmatch(value)
        or _PATH.fullmatch(value)
        or _DOTTED_NAME.fullmatch(value)
        or _FORMATTED.search(value)
        or (name and _joined(value).startswith(_joined(name)))
        or len(_joined(_WORDS.sub("", value))) < _MIN_OTHER_LETTERS
    )


def _joined(words: str) -> str:
    return _NO_LETTERS.sub("", words).lower()


def is_random(text: str) -> bool:
    """Return whether base64 looks random, unlike a path, a name, a hexadecimal number, or text in base64."""
    has_both_cases = any(map(str.islower, text)) and any(map(str.isupper, text))
    return has_both_cases and sum(map(str.isdigit, text)) >= 2 and entropy(text) > 4.3 and not is_encoded_text(text)


def is_encoded_text(base64_text: str) -> bool:
    """Return whether base64 has text in it, unlike a key, which has random bytes."""
    whole = base64_text[: len(base64_text) // 4 * 4]
    try:
        decoded = base64.b64decode(whole, validate=True)
    except ValueError:
        return False
    text = decoded.decode("utf-8", "replace")
    return text.count("\ufffd") + sum(map(_CONTROL.__contains__, text)) < _MAX_OTHER_SHARE * len(text)


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text, in bits per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
