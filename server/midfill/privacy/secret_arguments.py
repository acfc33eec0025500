"""Secrets that are known by the call or the command that they belong to: ``login("bob", "...")``, ``curl -u``.

No name beside them tells of a secret. The end of the call's name, or the command, is looked up in the text, and a
pattern matches what follows, within a bounded number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from midfill.privacy.secret_values import Secret, Shape, looks_secret

_STRING = r"[brfuN@]{0,2}(?P<quote>[\"'`])(?P<secret>(?:(?!(?P=quote))[^\n\\]|\\.){4,300})(?P=quote)"
_WRAPPED = r"\s{0,40}(?:[\w.\[\]]{1,30}\(){0,2}"
_ARGUMENT = r"\s{0,40}(?:\"[^\"\n]{0,80}\"|'[^'\n]{0,80}'|[^,()\"'\n]{1,60}(?:\([^()\n]{0,40}\))?)\s{0,9},\s{0,40}"
_SHELL_WORD = r"(?P<secret>[^\s\"'|;&<>()]{4,200})"
_BLANKS = r"\s{1,9}"


@dataclass(frozen=True)
class _Argument:
    """A secret argument of calls or commands."""

    kind: str
    """``password`` or ``secret``."""
    words: tuple[str, ...]
    """The ends of the calls' names with their brackets, or the commands."""
    begins_word: bool
    """Whether no letter may stand before one of ``words``."""
    after: re.Pattern[str]
    """What follows them; the group ``secret`` is the secret."""
    shape: Shape = Shape.WORD
    """What a password may be there."""


def _calls(*names: str, before: int, kind: str = "password", shape: Shape = Shape.WORD) -> _Argument:
    """Return calls of which the secret stands behind so many other arguments."""
    after = re.compile(rf"{_ARGUMENT * before}{_WRAPPED}{_STRING}")
    return _Argument(kind, tuple(f"{name}(" for name in names), begins_word=False, after=after, shape=shape)


def _commands(*names: str, after: str) -> _Argument:
    return _Argument("password", names, begins_word=True, after=re.compile(after))


def _options(*names: str, option: str) -> _Argument:
    """Return commands of which the secret stands behind an option."""
    return _commands(*names, after=rf"\b(?:[^\n|;]|\\\n){{0,300}}?[\s\"'](?:{option}){_SHELL_WORD}")


_SPACE = r"(?:[ =]|[\"'],[ \t]{0,9})?[\"']?"
_ARGUMENTS = (
    _calls(
        "BasicAuth", "DigestAuth", "basicAuth", "basic_auth", "Credential", "Credentials", "redentials.basic", "login",
        "Login", "authenticate", "PasswordAuthentication", "PasswordAuthenticationToken", "signIn", "SignIn", "sign_in",
        "sign_in_with_password", ".basic", "WiFi.begin", "wpdb", "bind_s",
        before=1,
    ),
    _calls("mysqli", "_connect", "getConnection", "PDO", "PlainAuth", "ftp_login", "EmailAndPassword", "set_password",
           before=2),
    _calls("_real_connect", before=3),
    _calls("DBI->connect", before=2),
    _calls(".connect", before=2, shape=Shape.NUMBERED),
    _calls(".connect", before=3, shape=Shape.NUMBERED),
    _calls("jwt.sign", "jwt.verify", "jwt.encode", "jwt.decode", "signWith", "createHmac", "createCipher",
           "createCipheriv", "createDecipheriv", "AES.encrypt", "AES.decrypt", before=1, kind="secret"),
    _calls("Fernet", "hmac.new", "AES.new", "SecretKeySpec", "ookieParser", "SecurityKey", "SignedString",
           "rivateKeyToAccount", "fromPrivateKey", "fromSecretKey", "Wallet", before=0, kind="secret"),
    # assertEquals("...", user.getPassword())
    _Argument("password", ("quals(", "qual(", "Same(", "cmp(", "ompare("), False,
              re.compile(rf"\s{{0,40}}{_STRING}\s{{0,9}},\s{{0,40}}[\w.$>()-]{{0,60}}(?:[pP]ass(?:[wW]|$)|PASS|[pP]wd)"),
              Shape.NUMBERED),
    # b64encode("bob:...")
    _Argument("password", ("b64encode(", "btoa("), False,
              re.compile(r"b?[\"'][\w.@-]{1,60}:(?P<secret>[^\s\"']{3,100})[\"']")),
    # strcmp(password, "...")
    _Argument("password", ("cmp(", "cpy(", "quals(", "qual(", "ompare("), False,
              re.compile(rf"\s{{0,9}}[\w.$>-]{{0,40}}(?:[pP]ass|PASS|[pP]wd)\w{{0,40}}\s{{0,9}},\s{{0,9}}{_STRING}")),
    # auth=("bob", "...")
    _Argument("password", ("auth", "Auth", "cred", "creds", "credentials", "login"), False,
              re.compile(r"[\"']?\s{0,9}(?:=>?|:)\s{0,9}[\[({]\s{0,40}[\"'][^\"'\n]{1,80}[\"']\s{0,9},\s{0,40}"
                         rf"{_STRING}\s{{0,40}}[\])}}]"), Shape.NUMBERED),
    _commands("crypt", after=rf"\(\s{{0,9}}{_STRING}\s{{0,9}},\s{{0,9}}gen_salt"),
    _commands("ConvertTo-SecureString", after=rf"{_BLANKS}(?:-\w{{1,20}}{_BLANKS}){{0,3}}{_STRING}"),
    _options("curl", "wget", "http", "https",
             option=rf"(?:-u|-U|-a|--user|--proxy-user|--auth){_SPACE}[^\s:\"']{{1,60}}:"),
    _options("sshpass", "docker login", "podman login", "az login", "oc login", "registry login", "skopeo login",
             "nerdctl login", "mongo", "mongosh", "mongodump", "mongorestore", "7z", "7za", "rar", "useradd", "usermod",
             option=f"-p{_SPACE}"),
    _options("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", option="-p[\"']?"),
    _options("openssl enc", "openssl aes-256-cbc", option=f"-(?:k|pass){_SPACE}"),
    _options("redis-cli", option=f"-a{_SPACE}"),
    _options("ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldappasswd", option=f"-w{_SPACE}"),
    _options("sqlcmd", "bcp", "zip", "unzip", option=f"-P{_SPACE}"),
    _options("ssh-keygen", option=f"-[NP]{_SPACE}"),
    _options("xfreerdp", option="/p:"),
    _options("sqlplus", "smbclient", option=r"[\w.\\]{1,40}[/%]"),
    _commands("htpasswd -b", "htpasswd -bc", "htpasswd -cb", "htpasswd -nb",
              after=rf"\w{{0,9}}{_BLANKS}(?:\S{{1,100}}{_BLANKS})?[\w.@-]{{1,60}}{_BLANKS}[\"']?{_SHELL_WORD}"),
    _commands("add_user", after=rf"{_BLANKS}[\w.@-]{{1,60}}{_BLANKS}[\"']?{_SHELL_WORD}"),
    _commands("net use", "net user",
              after=rf"{_BLANKS}(?:\w:{_BLANKS})?(?!\w:\s)\S{{1,60}}{_BLANKS}[\"']?{_SHELL_WORD}"),
    _Argument("password", ("-pass", "-passin", "-passout"), False,
              re.compile(rf"\s{{1,9}}[\"']?pass:{_SHELL_WORD}")),
    # echo ... | sudo -S
    _commands("echo", "printf", after=rf"{_BLANKS}(?:-\w{_BLANKS})?[\"']?(?:[\w.-]{{1,40}}:)?"
              r"(?P<secret>[^\s\"'|;:]{4,200})[\"']?\s{0,9}\|\s{0,9}(?:sudo )?"
              r"(?:(?:docker|podman|oc|helm registry) login|sudo -S|passwd|chpasswd|gpg\w?|cryptsetup|openssl)\b"),
)  # fmt: skip
_PASSWORD_FILE = re.compile(
    r"^[\w.*-]{1,80}:(?:\d{4,5}|\*):[\w*-]{1,40}:[\w.*-]{1,40}:(?P<secret>[^\s:]{4,100})$", re.MULTILINE
)
"""host:port:database:user:password"""
_CHARACTER_ARRAY = re.compile(rf"(?<![\w\"'])(?!.(?:0123|abcd|ABCD)){_STRING}\.toCharArray\(")


def secret_arguments(text: str) -> Iterator[Secret]:
    """Yield the start, the end and the kind of each secret argument."""
    for argument in _ARGUMENTS:
        for match in _found(text, argument):
            if looks_secret(argument.kind, "", match["secret"], argument.shape):
                yield *match.span("secret"), argument.kind
    others = [*_PASSWORD_FILE.finditer(text), *(_CHARACTER_ARRAY.finditer(text) if ".toCharArray(" in text else ())]
    for match in others:
        if looks_secret("password", "", match["secret"], Shape.WORD):
            yield *match.span("secret"), "password"


def _found(text: str, argument: _Argument) -> Iterator[re.Match[str]]:
    for word in argument.words:
        start = text.find(word)
        while start >= 0:
            is_inside = argument.begins_word and start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")
            match = None if is_inside else argument.after.match(text, start + len(word))
            if match:
                yield match
            start = text.find(word, start + len(word))
