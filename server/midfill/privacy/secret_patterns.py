"""Secrets that are recognised by their format, such as ``ghp_...``.

In each pattern ``<<`` and ``>>`` enclose the secret. A pattern looks at a bounded number of characters from where its
first word was found, or begins where a run of such characters begins. So the time grows with the text and no faster.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from midfill.privacy.secret_values import Secret, Shape, is_random, looks_secret

BASE64_KEY = "base64-key"


@dataclass(frozen=True)
class SecretFormat:
    """A kind of secret that is recognised by its format."""

    kind: str
    hints: tuple[str, ...]
    """Every such secret contains one of these texts; () when the format has no fixed text."""
    pattern: re.Pattern[str]


def _format(kind: str, hints: str, *patterns: str) -> SecretFormat:
    """Compile a format of one or several patterns; ``hints`` has blanks between them."""
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
        r"\b<<sk-(?!ssh-|ecdsa-)(?=[\w-]{0,90}\d)[\w-]{20,}|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}"
        r"|pplx-[A-Za-z0-9]{40,}>>",
    ),
    _format(
        "package-token",
        "npm_ pypi- rubygems_ dckr_pat_ oy2 cio",
        r"\b<<npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{40,}|dckr_pat_[\w-]{20,}|oy2[a-z0-9]{43}"
        r"|cio[A-Za-z0-9]{32}\b>>",
    ),
    _format("sendgrid-key", "SG.", r"(?<![\w-])<<SG\.[\w-]{16,200}\.[\w-]{16,200}>>"),
    _format("twilio-key", "AC SK", r"<<(?:AC|SK)[0-9a-f]{32}>>\b"),
    _format("telegram-token", "", r"<<[0-9]{8,10}:[A-Za-z][\w-]{34}>>(?![\w-])"),
    _format("discord-token", "", r"<<[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}>>"),
    _format("jwt", "eyJ", r"(?<![\w-])<<eyJ[\w-]{8,4000}\.[\w-]{8,9000}(?:\.[\w-]{0,4000}){0,3}>>"),
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
        "AccountKey= SharedAccessKey= SharedSecretKey=",
        r"(?:AccountKey|SharedAccessKey|SharedSecretKey)=<<[A-Za-z0-9+/]{32,}={0,2}>>",
    ),
    _format("url-key", "key=", r"[?&](?:api[_-]?)?key=<<(?=[\w-]{0,90}\d)(?=[\w-]{0,90}[A-Za-z])[\w-]{20,200}>>"),
    _format("signature", "ig= ignature=", r"[?&](?:sig|X-Amz-Signature|Signature)=<<[\w%+/=-]{20,}>>"),
    _format(
        "url-password",
        "://",
        # scheme://user:password@host
        r"://[^\s:/?#\[\]@'\"<>{}$]{0,100}:<<[^\s/?#@'\"<>{}$][^\s/'\"<>{}]{0,200}>>@[\w\[{$%-]",
    ),
    _format("url-token", "://", r"://(?:\w{1,20}:)?<<(?=[\w-]{0,100}\d)[\w-]{20,200}>>(?::x-oauth-basic)?@\w"),
    _format(
        "connection-password",
        "@tcp( @unix( @udp( @(",
        r":<<[^\s:@/'\"]{4,100}>>@(?:tcp|unix|udp)?\(",
    ),
    _format("connection-password", ":thin:", r":thin:\w{1,40}/<<[^\s@'\"]{3,100}>>@"),
    _format("basic-authorization", "asic ", r"asic <<[A-Za-z0-9+/]{8,400}={0,2}>>"),
    _format(
        "authorization",
        "earer asic EARER ASIC",
        r"(?:[Bb]earer|[Bb]asic|BEARER|BASIC)\s{1,9}<<(?=[\w.~+/-]{0,90}\d)[\w.~+/-]{16,}={0,2}>>",
    ),
    _format(
        "authorization",
        "uthorization",
        r"\b(?:[Pp]roxy-)?[Aa]uthorization[\"'\]]{0,2}\s{0,9}[:=,]\s{0,9}[\"'`]?(?!Bearer|Basic|bearer|basic)"
        r"(?:[A-Za-z][\w-]{1,20} )?<<(?=[\w.~+/-]{0,90}\d)[\w.~+/-]{12,}={0,2}>>",
    ),
    _format(
        "cookie",
        "ookie",
        r"\b[Cc]ookie[\"']?\s{0,9}[:=,]\s{0,9}[\"'`]?(?:[\w.-]{1,60}=[^;\s\"']{0,200};\s{0,9}){0,9}"
        r"[\w.-]{0,40}(?:sess|SESS|sid|SID|auth|Auth|AUTH)[\w.-]{0,40}=<<(?=[^;\s\"']{0,90}\d)[^;\s\"']{8,2000}>>",
    ),
    _format(
        "private-key",
        "PRIVATE",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[ \t]{0,9}<<[^-'\"\s][^-'\"\n]{16,}>>",
    ),
    # Keys without BEGIN and END, and keys in base64 with them, but no certificates and public keys
    _format(
        "private-key",
        "MII MHc MC4 MIG b3BlbnNzaC LS0tLS1CRUdJTi",
        r"(?<![A-Za-z0-9+/])<<(?:MII[A-Za-z0-9+/]{3}IBA[AD][A-Za-z0-9+/]{40,}|MHcCAQEEI[A-Za-z0-9+/]{40,}"
        r"|MC4CAQAwBQYDK2V[A-Za-z0-9+/]{20,}|MIG[A-Za-z0-9+/]{2}gEAMBMGByqGSM[A-Za-z0-9+/]{40,}"
        r"|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/]{40,}"
        r"|LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUMg|BQR1AgUFVC|BSU0EgUFVC)[A-Za-z0-9+/]{20,})={0,2}>>",
    ),
    _format("private-key", '"kty"', r"\"(?:d|p|q|dp|dq|qi|k)\"\s{0,9}:\s{0,9}\"<<[\w-]{20,}>>\""),
    _format(
        "password-hash",
        "$ {SSHA",
        r"<<\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:1|5|6|7|y|apr1)\$[^\s$:'\"]{1,40}\$(?:[^\s$:'\"]{1,40}\$)?[./A-Za-z0-9]{20,}"
        r"|\$argon2(?:id|i|d)\$[\w$,=+/-]{30,}|pbkdf2_sha\d{3}\$\d{1,9}\$[^\s$'\"]{1,60}\$[\w+/]{20,}={0,2}"
        r"|\{S?SHA\d{0,3}\}[A-Za-z0-9+/]{20,}={0,2}>>",
    ),
    # 40 characters of base64 in quotes: an AWS secret key has no other mark
    _format(BASE64_KEY, "", r"(?P<quote>['\"])<<[A-Za-z0-9/+]{40}>>(?P=quote)"),
)


def secrets_by_format(text: str) -> Iterator[Secret]:
    """Yield the secrets that are recognised by their format."""
    for secret_format in SECRET_FORMATS:
        if not secret_format.hints or any(hint in text for hint in secret_format.hints):
            for match in secret_format.pattern.finditer(text):
                if _CHECKS.get(secret_format.kind, bool)(match["secret"]):
                    yield *match.span("secret"), secret_format.kind


def _is_password(value: str) -> bool:
    return looks_secret("password", "", value, Shape.WORD)


def _is_user_and_password(value: str) -> bool:
    """Return whether base64 has a user's name and a password, as the header of basic authorization has."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return b":" in decoded and decoded.isascii()


_CHECKS: dict[str, Callable[[str], bool]] = {
    BASE64_KEY: is_random,
    "basic-authorization": _is_user_and_password,
    "authorization": lambda value: looks_secret("secret", "", value, Shape.RANDOM),
    "connection-password": _is_password,
    "url-password": _is_password,
}
"""Kinds of which not everything in their format is a secret."""
