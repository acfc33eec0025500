"""Secrets that are known by the call or the command of which they are an argument: ``login("bob", "...")``, ``curl -u``.

No name stands beside them that tells of a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from midfill.privacy.secret_values import Shape, looks_secret

_WRAPPED = r"(?:[\w.\[\]]{1,30}\(){0,2}"
_STRING = r"[brfuN@]{0,2}(?P<quote>[\"'`])(?P<secret>(?:(?!(?P=quote))[^\n\\]|\\.){4,300})(?P=quote)"
_ARGUMENT = r"\s{0,40}(?:\"[^\"\n]{0,80}\"|'[^'\n]{0,80}'|[^,()\"'\n]{1,60}(?:\([^()\n]{0,40}\))?)\s{0,9},\s{0,40}"
_SHELL_WORD = r"[\"']?(?P<secret>[^\s\"'|;&<>()]{4,200})"
_IN_COMMAND = r"(?:[^\n|;]|\\\n){0,300}?"
_BLANKS = r"\s{1,9}"


@dataclass(frozen=True)
class _Argument:
    """A secret argument of a call or a command."""

    kind: str
    """``password`` or ``secret``."""
    hints: tuple[str, ...]
    """Every such call or command contains one of these texts."""
    pattern: re.Pattern[str]


def _call(hints: str, names: str, before: int, kind: str = "password") -> _Argument:
    """A call of one of ``names`` with the secret behind so many other arguments; ``hints`` has blanks between them."""
    return _Argument(kind, tuple(hints.split()), re.compile(rf"(?:{names})\({_ARGUMENT * before}\s{{0,40}}{_WRAPPED}{_STRING}"))


def _command(hints: str, pattern: str) -> _Argument:
    """A command with a secret word; ``hints`` has blanks between them."""
    return _Argument("password", tuple(hints.split()), re.compile(pattern))


def _option(programs: str, option: str, value: str = _SHELL_WORD) -> _Argument:
    """A command with the secret behind an option; ``programs`` has ``|`` between them."""
    return _command(programs.replace("|", " "), rf"\b(?:{programs})\b{_IN_COMMAND}[\s\"'](?:{option}){value}")


_SPACE = r"(?:[ =]|[\"'],[ \t]{0,9}(?=[\"']))?"
_USER = r"[\"']?[^\s:\"']{1,60}:"
_ARGUMENTS = (
    _call(
        "uth( uthentication( ogin( uthenticate( redential sign asic(",
        r"HTTP(?:Basic|Digest)Auth|[Bb]asic_?Auth|basic_auth|Net\w{0,9}Credential|UsernamePassword\w{0,20}"
        r"|PasswordAuthentication|Credentials?(?:\.basic)?|\b[Ll]ogin|\b[Aa]uthenticate|[sS]ign_?[iI]n\w{0,30}|\bbasic",
        before=1,
    ),
    _call("begin(", r"WiFi\w{0,9}\.begin", before=1),
    _call(
        "mysql onnect PDO PlainAuth ftp_login assword( EmailAndPassword(",
        r"mysqli?|\w{0,20}_connect|getConnection|PDO|PlainAuth|ftp_login|set_?[pP]assword|EmailAndPassword",
        before=2,
    ),
    _call(
        "jwt signWith reateHmac rypt( reateCipher reateDecipher",
        r"jwt\.\w{1,20}|signWith|[cC]reateHmac|[cC]reate(?:De)?[cC]ipher(?:iv)?|AES\.(?:en|de)crypt",
        before=1,
        kind="secret",
    ),
    _call("mysql", r"mysqli?_real_connect", before=3),
    _call("Fernet( hmac.new( AES.new( SecretKeySpec( ookieParser( SecurityKey( SignedString(",
          r"Fernet|hmac\.new|AES\.new|SecretKeySpec|ookieParser|SecurityKey|SignedString", before=0, kind="secret"),
    _command("b64encode( btoa(", rf"(?:b64encode|btoa)\(b?[\"'][\w.@-]{{1,60}}:(?P<secret>[^\s\"']{{3,100}})[\"']"),
    _command("toCharArray", rf"(?<![\w\"]){_STRING}\.toCharArray\("),
    _command("gen_salt", rf"crypt\(\s{{0,9}}{_STRING}\s{{0,9}},\s{{0,9}}gen_salt"),
    # strcmp(password, "...")
    _command("cmp( cpy( quals mpare", r"(?:\w{0,9}(?:cmp|cpy)|\w{0,20}[eE]quals?|\w{0,20}[cC]ompare\w{0,20})\(\s{0,9}[\w.$>-]{0,40}"
             rf"(?:[pP]ass|pwd|PASS|[pP]wd)\w{{0,40}}\s{{0,9}},\s{{0,9}}{_STRING}"),
    # auth=("bob", "...")
    _command("auth cred login Auth Cred", r"\b(?:[Bb]asic_?)?(?:[Aa]uth|[Cc]red(?:ential)?s?|login)[\"']?\s{0,9}[:=]\s{0,9}"
             rf"[\[({{]\s{{0,40}}[\"'][^\"'\n]{{1,80}}[\"']\s{{0,9}},\s{{0,40}}{_STRING}\s{{0,40}}[\])}}]"),
    _command("SecureString", rf"ConvertTo-SecureString{_BLANKS}(?:-\w{{1,20}}{_BLANKS}){{0,3}}{_STRING}"),
    _option("curl|wget|http|https", rf"(?:-u|-U|-a|--user|--proxy-user|--auth){_SPACE}{_USER}", _SHELL_WORD[len(r"[\"']?"):]),
    _option("sshpass|docker|podman|az|oc|registry|skopeo|nerdctl|mongo|mongosh|mongodump|mongorestore|mongoimport|7z|7za|rar",
            rf"(?<!run )-p{_SPACE}(?!\d{{1,5}}(?::|\b)|tcp|\w+=)"),
    _option("mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump", "-p"),
    _option("redis-cli", f"-a{_SPACE}"),
    _option("ssh-keygen", f"-[NP]{_SPACE}"),
    _option("useradd|usermod", f"-p{_SPACE}"),
    _option("ldapsearch|ldapadd|ldapmodify|ldapdelete|ldappasswd|ldapwhoami", f"-w{_SPACE}"),
    _option("sqlcmd|bcp|zip|unzip", f"-P{_SPACE}"),
    _option("sqlplus|smbclient", r"[\w.\\]{1,40}[/%]", r"(?P<secret>[^\s@\"'/]{4,100})"),
    _option("xfreerdp|rdesktop", "/p:|-p "),
    _command("htpasswd add_user", rf"\b(?:htpasswd{_BLANKS}-\w{{0,9}}b\w{{0,9}}{_BLANKS}\S{{1,100}}|add_user){_BLANKS}"
             rf"[\w.@-]{{1,60}}{_BLANKS}{_SHELL_WORD}"),
    _command("pass:", r"-pass(?:in|out)?\s{1,9}[\"']?pass:(?P<secret>[^\s\"'|;]{4,200})"),
    _command("net use", rf"\bnet use(?:r)?{_BLANKS}\S{{1,60}}{_BLANKS}{_SHELL_WORD}"),
    # echo ... | sudo -S
    _command("echo printf", rf"\b(?:echo|printf){_BLANKS}(?:-\w{_BLANKS})?[\"']?(?:[\w.-]{{1,40}}:)?"
             r"(?P<secret>[^\s\"'|;:]{4,200})[\"']?\s{0,9}\|\s{0,9}(?:sudo )?"
             r"(?:(?:docker|podman|oc|helm registry) login|sudo -S|passwd|chpasswd|gpg\w?|cryptsetup|openssl)\b"),
    # host:port:database:user:password
    _command(":", r"(?m)^[\w.*-]{1,80}:(?:\d{4,5}|\*):[\w*-]{1,40}:[\w.*-]{1,40}:(?P<secret>[^\s:]{4,100})$"),
)  # fmt: skip


def secret_arguments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the kind of each secret argument."""
    for argument in _ARGUMENTS:
        if any(hint in text for hint in argument.hints):
            for match in argument.pattern.finditer(text):
                if looks_secret(argument.kind, "", match["secret"], Shape.WORD):
                    yield *match.span("secret"), argument.kind
