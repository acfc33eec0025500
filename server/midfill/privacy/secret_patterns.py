"""Patterns of secrets within one line. In each pattern the group ``secret`` is the secret itself.

There are two kinds of patterns. The first finds secrets by their format, such as ``ghp_...``. The second finds values
by the name they are assigned to, such as ``password = ...``; :func:`looks_secret` then refuses values that are no
secrets, so that ``token = "token"`` and ``password: str`` stay unchanged.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

BASE64_KEY = "base64-key"


@dataclass(frozen=True)
class SecretFormat:
    """A kind of secret that is recognised by its format."""

    kind: str
    hints: tuple[str, ...]
    """Every such secret contains one of these texts; () when the format has no fixed text."""
    pattern: re.Pattern[str]


def _format(kind: str, hints: str, *patterns: str) -> SecretFormat:
    """Compile a format. In ``patterns``, ``<<`` and ``>>`` enclose the secret."""
    return SecretFormat(
        kind, tuple(hints.split()), re.compile("|".join(patterns).replace("<<", "(?P<secret>").replace(">>", ")"))
    )


SECRET_FORMATS = (
    _format("aws-access-key", "A3T ABIA ACCA AKIA ASIA", r"\b<<(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}>>\b"),
    _format(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b<<gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}>>",
    ),
    _format(
        "gitlab-token",
        "glpat- gloas- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat-",
        r"\b<<gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w-]{20,}>>",
    ),
    _format("slack-token", "xox xapp", r"\b<<xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{20,}>>"),
    _format(
        "webhook",
        "hooks",
        r"(?:hooks\.slack\.com/\w+|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/\w+)/<<[\w@/-]{16,}>>",
    ),
    _format(
        "stripe-key", "k_live_ k_test_ whsec_", r"\b<<[prs]k_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{20,}>>"
    ),
    _format("google-key", "AIza GOCSPX- ya29.", r"\b<<AIza[\w-]{35}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}>>"),
    _format(
        "ai-key",
        "sk- hf_ gsk_ r8_ pplx-",
        r"\b<<sk-(?=[\w-]{0,90}\d)[\w-]{20,}|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}"
        r"|pplx-[A-Za-z0-9]{40,}>>",
    ),
    _format(
        "package-token",
        "npm_ pypi- rubygems_ dckr_pat_ oy2 cio",
        r"\b<<npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{40,}|dckr_pat_[\w-]{20,}|oy2[a-z0-9]{43}"
        r"|cio[A-Za-z0-9]{32}\b>>",
    ),
    _format("sendgrid-key", "SG.", r"\b<<SG\.[\w-]{16,}\.[\w-]{16,}>>"),
    _format("twilio-key", "AC SK", r"<<(?:AC|SK)[0-9a-f]{32}>>\b"),
    _format("telegram-token", "", r"<<[0-9]{8,10}:[A-Za-z][\w-]{34}>>(?![\w-])"),
    _format("discord-token", "", r"<<[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}>>"),
    _format("jwt", "eyJ", r"\b<<eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?>>"),
    _format("mail-key", "-us key-", r"\b<<[0-9a-f]{32}-us\d{1,2}|key-[0-9a-f]{32}|xkeysib-[0-9a-f]{64}-\w{16}>>\b"),
    _format("square-token", "sq0 EAAA", r"\b<<sq0[a-z]{3}-[\w-]{22,}|EAAA[\w-]{60}>>"),
    _format("shop-token", "shp", r"\b<<shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}>>\b"),
    _format(
        "cloud-token",
        "_v1_ dapi hvs. hvb. dp. pscale_ sbp_ FlyV1 atlasv1 LTAI",
        r"\b<<do[oprt]_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|hv[bs]\.[\w-]{24,}|dp\.(?:pt|st|ct)\.\w{40,}|sbp_[0-9a-f]{40}"
        r"|pscale_(?:tkn|pw|oauth)_[\w.-]{32,}|FlyV1 [\w+/=,-]{40,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}"
        r"|LTAI[A-Za-z0-9]{12,20}>>",
    ),
    _format(
        "service-token",
        "lin_api_ ntn_ figd_ gls glc_ NRAK- PMAK- sntry ATATT3 AKC shippo_",
        r"\b<<lin_api_\w{40}|ntn_\w{40,}|figd_[\w-]{40}|glsa_\w{32}_[0-9a-f]{8}|glc_[\w+/=]{32,}|NRAK-[A-Z0-9]{27}"
        r"|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|sntry[su]_[\w+/=.-]{40,}|ATATT3[\w=-]{60,}|AKC[a-zA-Z0-9]{60,}"
        r"|shippo_(?:live|test)_[0-9a-f]{40}>>",
    ),
    _format("age-key", "AGE-SECRET", r"\b<<AGE-SECRET-KEY-1[0-9A-Z]{58}>>\b"),
    _format(
        "azure-key",
        "Key= key=",
        r"(?i:AccountKey|SharedAccessKey|SharedSecretKey)=<<[A-Za-z0-9+/]{32,}={0,2}>>",
    ),
    _format("signature", "ig= ignature=", r"[?&](?:sig|X-Amz-Signature|Signature)=<<[\w%+/=-]{20,}>>"),
    _format(
        "url-password",
        "://",
        r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/?#\[\]@'\"<>{}$]{0,100}:<<[^\s/?#@'\"<>{}$%][^\s/@'\"<>{}]{0,200}>>@[\w\[{$%-]",
    ),
    _format(
        "authorization",
        "earer asic uthorization",
        r"\b(?i:bearer|basic|authorization['\"]?\s*[:=,]\s*['\"]?token)\s+<<(?=[\w.~+/-]{0,90}\d)[\w.~+/-]{16,}={0,2}>>",
    ),
    _format("private-key", "PRIVATE", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----<<[^-'\"\s][^-'\"\n]{16,}>>"),
    # 40 characters of base64 in quotes: an AWS secret key has no other mark
    _format(
        BASE64_KEY,
        "",
        r"(?P<quote>['\"])<<[A-Za-z0-9/+]{40}>>(?P=quote)",
    ),
)
_PASSWORD = r"(?:pass(?:word|wd|phrase|code)|pwd|db_?pass|user_?pass|contrase[nñ]a|passwort|mot_?de_?passe)"  # noqa: S105
_KEY = (
    r"(?:secret|token(?!i[sz])|credential|api_?-?key|access_?-?key|auth_?-?key|priv(?:ate)?_?-?key|service_?-?key"
    r"|account_?-?key|encryption_?-?key|signing_?-?key|license_?-?key|master_?-?key|shared_?-?key|client_?-?key"
    r"|app_?-?key|consumer_?-?key|bearer|cookie_?-?salt|webhook_?-?key)"
)
_QUOTED = r"[brfuL@$]{0,2}(?P<quote>['\"`])(?P<secret>(?:(?!(?P=quote))[^\\\s]|\\.){4,}?)(?:(?P=quote)|\\?$)"
_ASSIGN = r"(?:\[\d*\])?['\"]?\]?\s*(?::\s*[\w.\[\]<>| *&?]{1,40}\s*)?(?::=|=>|<-|={1,3}|!==?|:)\s*"


def _named(word: str, value: str) -> str:
    return rf"(?i:(?<![\w-])(?P<name>[\w-]{{0,60}}?{word}[\w-]{{0,40}})){value}"


_BY_NAME = {
    kind: tuple(
        re.compile(pattern)
        for pattern in (
            _named(word, _ASSIGN + r"(?:\w+\()?" + _QUOTED),
            _named(word, r"\s*(?:\.assign)?\(\s*" + _QUOTED + r"\s*[,)]"),
            # Without quotes, as in configuration files and shells, the value is the rest of the line
            r"^[\s#/*;!\"'`-]*(?:export\s+|set\s+|ENV\s+)?"
            + _named(word, r"\s*[:=]\s*(?P<secret>(?=[^\s#]*\d)[^\s'\"`(){}\[\],;$<#]{6,})[\"'`]{0,3}\s*(?:#.*)?$"),
            r"(?:^|[\s'\"])(?=[A-Z0-9_]+=)" + _named(word, r"=(?P<secret>(?=\S*\d)[^\s'\"`(){}\[\],;$<]{6,})"),
            r"(?:^|\s)(?=--?[a-z])" + _named(word, r"[= ](?P<secret>(?=\S*\d)[^\s'\"`(){}\[\],;$<]{6,})"),
            r"<" + _named(word, r"[^<>]{0,80}>(?P<secret>[^\s<>{}$]{4,})</"),
        )
    )
    for kind, word in (("password", _PASSWORD), ("secret", _KEY))
}
NAMED_SECRETS = tuple((kind, pattern) for kind, patterns in _BY_NAME.items() for pattern in patterns)
"""Kind and pattern of secrets that are recognised by the name before them; the group ``name`` is that name."""
NAME_HINT = re.compile("pass|pwd|secret|token|key|credential|bearer|salt|contrase")
"""Every name in :data:`NAMED_SECRETS` matches this in lower case; used to skip other lines quickly."""

_NAMES_NO_SECRET = re.compile(
    r"(?i)(?:file|path|dir|url|uri|endpoint|name|type|kind|field|header|prefix|suffix|length|len|size|regex|re|pattern"
    r"|label|param|params|id|ids|class|format|error|message|msg|help|hint|prompt|title|text|column|count|index|list"
    r"|policy|expiry|ttl|scope|scopes|store|manager|provider|algorithm|version|env|var|map|enum|s)$"
)
_IS_NO_SECRET = re.compile(
    r"(?i)^(?:str(?:ing)?|text|bytes?|char|u?int|float|bool(?:ean)?|none|null|nil|true|false|optional|required|any|object"
    r"|u?int\d+|float\d+|utf-?\d+|varchar|example|sample|dummy|change_?-?me|todo|fixme|placeholder|redacted|hidden"
    r"|x+|\*+|\.+|-+|_+|<.*|\{.*\}|\$.*|%.*|https?:.*|file:.*|/.*|\.{1,2}/.*|self\..*|this\..*|os\..*|env\..*|process\..*"
    r"|my|your|a|the|test)(?:$|[-_ ]?(?:here|value|goes)?$)"
)
_WORDS = re.compile(r"(?i)(?:" + _PASSWORD[3:-1] + "|" + _KEY[3:-1] + r"|key|auth|your|my|example|access|id)")


def looks_secret(kind: str, name: str, value: str) -> bool:
    """Return whether ``value``, assigned to ``name``, may be a secret and not a name, a type or a placeholder."""
    if _NAMES_NO_SECRET.search(name) or _IS_NO_SECRET.match(value):
        return False
    if "{" in value or "%(" in value or "${" in value or value.endswith("%s"):
        return False
    if len(re.sub(r"[\W_]", "", _WORDS.sub("", value))) < 3:  # only words, such as "access_token"
        return False
    if kind == "password":
        return len(value) >= 4
    return len(value) >= 8 and bool(re.search(r"\d", value)) and entropy(value) >= 2.5


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text, in bits per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
