"""Secrets of all kinds are found and replaced, and ordinary code stays unchanged."""

from __future__ import annotations

import random
import string
import sysconfig
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengths import length
from midfill.privacy import named_secrets
from midfill.privacy.secrets import redact, redacted_lines

_LETTERS = string.ascii_letters + string.digits
_HEX = string.hexdigits[:16]


def _random(length: int, alphabet: str = _LETTERS) -> str:
    """Return ``length`` characters, at least one digit and one letter."""
    return "4a" + "".join(random.Random(length).choices(alphabet, k=length - 2))  # noqa: S311 -- the same ones each time


def _upper(length: int) -> str:
    return _random(length).upper()


SECRETS = {
    "aws-access-key": 'key_id = "{}"', "aws-secret": 'aws_secret_access_key = "{}"', "bare-aws-secret": 'use("{}")',
    "github": "git clone {}", "github-fine": "x = '{}'", "gitlab": "curl -H 'PRIVATE-TOKEN: {}'", "slack": "post({})",
    "slack-webhook": 'url = "https://hooks.slack.com/services/{}"', "stripe": "stripe.api_key = '{}'",
    "google": "?key={}", "google-oauth": "id {}", "openai": "OpenAI('{}')", "anthropic": "# {}", "hugging-face": "{}",
    "npm": "//registry/:_authToken={}", "pypi": "password = {}", "sendgrid": "mail({})", "twilio": "sid {}",
    "telegram": "bot{}", "discord": "run('{}')", "jwt": "Cookie: session={}", "mailchimp": "mc('{}')",
    "mailgun": "mg('{}')", "square": "sq {}", "shopify": "shop {}", "digital-ocean": "do {}", "vault": "v {}",
    "azure": "DefaultEndpointsProtocol=https;AccountKey={};EndpointSuffix=x", "database": "postgres://bob:{}@db/shop",
    "redis": "redis://:{}@cache:6379", "bearer": "Authorization: Bearer {}", "basic": '"Authorization": "Basic {}"',
    "password": "password = '{}'", "db-password": 'DB_PASSWORD: "{}"', "json": '{{"client_secret": "{}", "x": 1}}',
    "env": "export API_TOKEN={}", "yaml": "  api_key: {}", "ini": "secret = {}  # live",
    "xml": "<password>{}</password>",
    "option": "mysql --password={} -h db", "keyword": "connect(user='a', passwd='{}')", "call": 'cfg.setPassword("{}")',
    "comment": "# api_key: {}", "docstring": '"""secret = {}"""',
    "docker": "docker run -e API_KEY={} image",
    "typed": 'api_key: str = "{}"', "compare": 'if password == "{}":', "go": 'secretKey := "{}"',
    "half-typed": 'password = "{}', "fallback": 'token = os.environ.get("TOKEN") or "x"; TOKEN = "{}"',
    "age": "{}", "linear": "{}", "putty": "PuTTY-User-Key-File-2: ssh-rsa\n{}\nPrivate-MAC: 1",
}  # fmt: skip
VALUES = {
    "aws-access-key": "AKIA" + _upper(16), "aws-secret": _random(40), "bare-aws-secret": _random(40),
    "github": "ghp_" + _random(36), "github-fine": "github_pat_" + _random(82), "gitlab": "glpat-" + _random(20),
    "slack": "xoxb-" + _random(40), "slack-webhook": f"T{_upper(9)}/B{_upper(9)}/{_random(24)}",
    "stripe": "sk_live_" + _random(24), "google": "AIza" + _random(35), "google-oauth": "GOCSPX-" + _random(28),
    "openai": "sk-proj-" + _random(48), "anthropic": "sk-ant-api03-" + _random(80), "hugging-face": "hf_" + _random(34),
    "npm": "npm_" + _random(36), "pypi": "pypi-AgEIcHlwaS5vcmc" + _random(60),
    "sendgrid": f"SG.{_random(22)}.{_random(43)}", "twilio": "SK" + _random(32, _HEX),
    "telegram": "123456789:A" + _random(34), "discord": f"MT{_random(22)}.{_random(6)}.{_random(38)}",
    "jwt": f"eyJ{_random(20)}.eyJ{_random(40)}.{_random(43)}", "mailchimp": _random(32, _HEX) + "-us12",
    "mailgun": "key-" + _random(32, _HEX), "square": "sq0atp-" + _random(22), "shopify": "shpat_" + _random(32, _HEX),
    "digital-ocean": "dop_v1_" + _random(64, _HEX), "vault": "hvs." + _random(24), "azure": _random(86) + "==",
    "age": "AGE-SECRET-KEY-1" + _upper(58), "linear": "lin_api_" + _random(40), "password": "hunter2",
    "putty": _random(64) + "\n" + _random(40),
}  # fmt: skip


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_is_replaced(kind: str) -> None:
    """No seven consecutive characters of the secret are left, and the text around it is unchanged."""
    secret = VALUES.get(kind, _random(24))
    text = f"first line\n{SECRETS[kind].format(secret)}\nlast line"
    redacted = redact(text)
    for part in secret.split("\n"):
        assert not [part[n : n + 7] for n in range(len(part) - 6) if part[n : n + 7] in redacted.text]
    assert redacted.text.startswith("first line\n" + SECRETS[kind].partition("{}")[0].format())
    assert redacted.text.endswith("last line")
    assert redacted.text.count("\n") == text.count("\n")


def _pem(header: str, lines: int) -> list[str]:
    body = ["".join(random.Random(n).choices(_LETTERS + "+/", k=64)) for n in range(lines)]  # noqa: S311
    return [f"-----BEGIN {header}-----", *body, "Zm9vYmFyMTIz==", f"-----END {header}-----"]


@pytest.mark.parametrize("header", ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_private_key_of_many_lines(header: str) -> None:
    """Every line of the key is replaced, BEGIN and END stay, and the number of lines is the same."""
    lines = ["before()", *_pem(header, 20), "after()"]
    redacted = redact("\n".join(lines)).text.split("\n")
    assert (redacted[:2], redacted[-2:]) == (lines[:2], lines[-2:])
    assert set(redacted[2:-2]) == {"<private-key>"}


@pytest.mark.parametrize(("first", "last"), [(0, 10), (5, 12), (14, 23), (21, 23)])
def test_piece_of_a_private_key(first: int, last: int) -> None:
    """A part of a key, without BEGIN or END, is found, too."""
    pem = _pem("RSA PRIVATE KEY", 20)
    redacted = redact("\n".join(pem[first:last])).text
    assert not [line for line in pem[1:-1] if line in redacted]


@pytest.mark.parametrize(
    ("head", "label"),
    [("token: |\n", ""), ("token = <<EOF\n", ""), ('token = """\n', ""), ("kind: Secret\ndata:\n", "a: "),
     ("kind: Secret\ndata:\n  file: |\n", "  ")],
)  # fmt: skip
def test_block_with_blank_lines(head: str, label: str) -> None:
    """Blank lines within a block are no secrets, and stay."""
    secret = _random(24)
    text = f"{head}  {label}{secret}\n\n    \n  {label}{secret[:20]}\n\n"
    redacted = redact(text)
    assert secret[:20] not in redacted.text
    assert redacted.text.count("\n") == text.count("\n")
    assert all(span.start < span.end for span in redacted.spans)


def test_private_key_in_a_string() -> None:
    r"""A key in one JSON string with \n, and a key in one string literal for each line, are found."""
    pem = _pem("PRIVATE KEY", 8)
    for text in ('{"private_key": "' + "\\n".join(pem) + '\\n"}', "\n".join(f'    "{line}\\n"' for line in pem)):
        redacted = redact(text).text
        assert not [line for line in pem[1:-1] if line[8:40] in redacted]
        assert "PRIVATE KEY" in redacted


@pytest.mark.parametrize(
    "line",
    [
        'token = "token"', "password: str", "password = getpass()", 'password = input("Password: ")',
        "api_key: string;", 'TOKEN_URL = "https://example.com/token1"', 'secret_name = "projects/1/secrets/2"',
        "token = tokens[i2]", 'field = forms.CharField(label="password")', "if token.type == tokenize.NAME2:",
        'PASSWORD = "<password>"', 'key = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        "pass", "return secret1", 'git = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"',
        'password = f"{user}-{number}"', "postgres://user@host/db", 'password = os.environ["DB_PASSWORD"]',
        'url = f"postgres://{user}:{password}@{host}"', "max_tokens: int = 64",
        "def token2(self, secret: bytes32) -> None:", 'access_token = "access_token"', '"password": "string"',
        "from secrets import token_hex as token16", "monkey = 'banana12'", "tokens_per_second = 1024.5",
        "class KeyboardInterrupt2(Exception):", "-----BEGIN CERTIFICATE-----", "https://docs.python.org/3/library",
        'password = request.form["password"]', "token = get_token()", 'PASSWORD_FIELD = "password"',
        "token = next_token2", 'password = os.getenv("DB_PASSWORD")', 'os.getenv("DB_PASSWORD", "")',
        'getenv("API_KEY") or None', "password: string;", "const password = process.env.DB_PASSWORD;",
        'String password = request.getParameter("password");',
        'fields = ["username", "password", "email", "first_name"]',
        'parser.add_argument("--password", help="of the user")',
        "def login(self, user: str, password: str = None) -> Token:", "password=args.password, token=self.token2)",
        "password: ${{ secrets.DB_PASSWORD }}", "password = var.db_password", "DB_PASSWORD=${DB_PASSWORD}",
        "ENV DB_PASSWORD=$PASSWORD", 'curl -u "$USER:$PASSWORD" https://example.com', "mysql -u root -p shop",
        "docker run -p 8080:80 image", 'login("user", "password")', 'jwt.encode(payload, key, algorithm="HS256")',
        "<password>${db.password}</password>", "IDENTIFIED BY ?", "the object identified by `name_2`",
        'raise ValueError("password must have 8 characters")', "Pass 'parameters' and 'annotations'",
        "pass type_comments=True to get them", '"password": "Your password"', "git push origin",
        "https://user:password@host/", "postgres://user:pass@localhost/db", "redis://localhost:6379",
        "image: nginx:1.25", '"AWS::ApiGateway::ApiKey": "48205d4ffd7feba3"', "expect(token).toBe(token1)",
        "import { token2 } from './token2'", "Authorization: Bearer <token>", "Authorization: Basic ${credentials}",
        "api_key = load('config/key1.txt')", "token_type = 'bearer2'", "password_hash = hash_of(password1)",
        "if token == tokens[2]:", "secretName: db-credentials-2",
    ],
)  # fmt: skip
def test_ordinary_code_stays(line: str) -> None:
    """Names, types, look-ups and placeholders are not redacted."""
    assert redact(line).text == line


@pytest.mark.parametrize(
    "text",
    ["import os\n\npassword = getpass", "def f(user):\n    password = hasher", "const user = {\n  password: hashed",
     "class Login:\n    password: SecretText", "type Login struct {\n\tpassword: stored",
     "if user:\n    password = derive"],
)  # fmt: skip
def test_name_that_is_being_typed_stays(text: str) -> None:
    """In a program, a word of letters behind a telling name is a variable, also if it stands nowhere else yet."""
    assert redact(text).text == text
    assert redact(f"user: bob\n{text.rpartition(chr(10))[2]}").spans


def test_other_base64_stays() -> None:
    """A certificate, a public key and a picture are no private keys."""
    pem = _pem("CERTIFICATE", 12)
    picture = ["iVBORw0KGgoAAAANSUhEUgAAAGQ" + "A" * 37, *pem[2:9]]
    for lines in (pem, _pem("PUBLIC KEY", 6), _pem("PGP PUBLIC KEY BLOCK", 12), picture):
        assert redact("\n".join(lines)).text == "\n".join(lines)


def test_code_after_the_first_line_of_a_key_stays() -> None:
    """Code that looks for keys is no key."""
    text = 'if line == "-----BEGIN RSA PRIVATE KEY-----":\n    return read(line, 1)\n\n\ndef read(line):\n    pass\n'
    assert redact(text).text == text


def test_standard_library_is_almost_untouched() -> None:
    """Fewer than one redaction in 5,000 lines of real code."""
    redactions = lines = 0
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = file.read_text(encoding="utf-8")
        redactions += len(redact(text).spans)
        lines += text.count("\n")
    assert lines > 50_000
    assert redactions < lines / 5000


def test_offsets_are_converted() -> None:
    """An offset keeps its place; inside a secret it becomes the placeholder's end."""
    text = 'a = 1\npassword = "hunter22"\nb'
    redacted = redact(text)
    assert redacted.text == 'a = 1\npassword = "<password>"\nb'
    start = text.index("hunter22")
    assert redacted.offset(3) == 3
    assert redacted.offset(start) == start
    assert redacted.offset(start + 4) == start + len("<password>")
    assert redacted.text[redacted.offset(text.index("\nb")) :] == "\nb"
    assert redacted.offset(len(text)) == len(redacted.text)


def test_long_line_is_searched_to_its_end() -> None:
    """A secret far behind the start of a line is found, and the rest of the line stays."""
    line = "some words, " * 50_000
    assert redact(f"{line}password = 'hunter22'; {line}").text == f"{line}password = '<password>'; {line}"


HOSTILE = (
    "x", " ", "\t", "\n", "\r\n", '"', '\'"', "`", '"""', '\\', '\\"', "(", "{", "[", "<", "0", "_", "é", "İ",
    "A1b2", "password", "password ", "password,", "password>", "<password>", "password[0]", "password = ",
    'password="', 'password=\\\'"`', 'password=("', "password='' ", 'password="\\\n', "password: |\n ",
    "password:\n", "pass_word-", "password default=", "password default ", 'password="a" + ', '"a" + ', '"a"\n',
    "密码=", "--password=", "--password ", "${password:", "?token=", "&token=a", "token=a(", "token=f(f(", "secret ?",
    "secret or ", "secret: a =", "key[]={0x11, ", '"password","a",', "a.b.c.", "-----BEGIN ",
    "-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----\n",
    "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0E1f2\n", "AB/+", "eyJ", "eyJ.", "-eyJa", "SG.",
    "://", "a://b:", "://a:a@", "Basic ", "Authorization: ", "cookie: a=b; ", "login(", 'login("a",', "login(a, ",
    "curl ", "curl -u a", "mysql -p", "echo ", "echo a|", "kind: Secret\n", "kind: Secret\ndata:\n",
    '"kind": "Secret", "data": {"a":', "ghp_", "sk-1", "key-", "MNO", "$2b$12$", "LS0tLS1CRUdJTi", "a:5432:a:a:a\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! ",
    "password=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! ",
    "password='a/a/a/a/a!' ", "password='Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab_Ab!' ",
    "password='a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a!' ",
)  # fmt: skip
"""Texts that patterns may go through many times, when they are repeated."""


HOSTILE_VALUES = (
    "x", "X", "0", "a1", "Ab", "aB1", "-", "-/", "a/", "A/", "v1/", "a.", "A.b", "a_", "A_", "_1", "a-", "a b ", "the ",
    "=a=", "a.b/", "a1.b/", "{", "$", "\\\\", "<a>", "*", "passwordsecret", "\" + \"", "\"\n\"", "0x11, ", "''",
    "日本", "aaaaaaaaaaaaaaaa", "A1b2C3d4E5f6G7h8",
)  # fmt: skip
"""Texts that patterns may go through many times, when a long value has them."""


@pytest.mark.timeout(length(30, 300))
@pytest.mark.parametrize("quote", ['"', "'", "", "`"])
@pytest.mark.parametrize("text", HOSTILE_VALUES, ids=ascii)
def test_hostile_value_takes_bounded_time(text: str, quote: str) -> None:
    """A value of thousands of characters is judged as fast as it is read."""
    value = text * (8_000 // len(text))
    lines = [f"password = {quote}{value}!{quote}", f"api_key: {quote}{value}!{quote}", f"key={quote}{value}!{quote} x"]
    assert redact("\n".join(lines)).text.count("\n") >= 2


@pytest.mark.timeout(length(30, 300))
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    """The time grows with the length, and not with its square: that would take minutes."""
    characters = length(40_000, 400_000)
    repeated = (text * (characters // len(text) + 1))[:characters]
    assert redact(repeated).text.count("\n") == repeated.count("\n")


@pytest.mark.parametrize("unit", ["password=", "password: a, ", "token: a\n"])
def test_more_names_than_code_has(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand are looked at one by one; then the rest of a line is hidden, and each line end stays."""
    look = Mock(side_effect=named_secrets._in_quotes)
    monkeypatch.setattr(named_secrets, "_in_quotes", look)
    text = unit * 20_000 + "password = hunter2 + hunter3\npass"
    redacted = redact(text).text
    assert look.call_count <= 2_001 + len(text) / 100
    assert "hunter" not in redacted
    assert redacted.count("\n") == text.count("\n")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", [0, 2_990, 3_990, 40_000])
def test_overlong_line_is_searched_to_its_end(place: int) -> None:
    """A secret in a line without an end is found wherever it stands, and nothing else of the line is hidden."""
    line = "x = 1; " * 6_000
    text = f'{line[:place]}password = "hunter2hunter2"; {line}\ny = 1'
    assert redact(text).text == text.replace("hunter2hunter2", "<password>")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["x", "password", "password='", "secret='\\\\'", "://a", "-----BEGIN A"])
def test_line_of_a_million_characters_is_searched_in_a_bounded_time(unit: str) -> None:
    """The time grows with the length of a line, not with its square."""
    assert redact(unit * (1_000_000 // len(unit)) + "\ny = 1").text.endswith("\ny = 1")


@given(
    st.sampled_from(sorted(set(SECRETS) - set(VALUES) - {"redis", "database"})),
    st.text(alphabet=_LETTERS, min_size=16, max_size=40).filter(lambda text: len(set(text)) > 7),
)
def test_any_random_value_after_a_secrets_name(kind: str, secret: str) -> None:
    """Any random letters and digits are redacted."""
    redacted = redact(SECRETS[kind].format("4" + secret)).text
    assert secret not in redacted


@given(st.lists(st.sampled_from([*SECRETS, "x = 1", "", "def f(a):", "-----BEGIN PRIVATE KEY-----"]), max_size=8))
def test_redacting_again_changes_nothing(kinds: list[str]) -> None:
    """Placeholders are not redacted, spans do not overlap, and the number of lines is the same."""
    lines = [SECRETS[kind].format(VALUES.get(kind, _random(24))) if kind in SECRETS else kind for kind in kinds]
    text = "\n".join(lines)
    redacted = redact(text)
    assert redact(redacted.text).text == redacted.text
    assert redacted.text.count("\n") == text.count("\n")
    assert all(a.end <= b.start for a, b in zip(redacted.spans, redacted.spans[1:], strict=False))


@given(st.text(alphabet="ab1 =:'\"\n-_/@.+<password>keytoken", max_size=400))
def test_lines_of_a_redacted_text(text: str) -> None:
    """Lines are redacted with the whole text around them, and then cut."""
    whole = redact(text).text.split("\n")
    for first in range(len(whole)):
        assert redacted_lines(text, first, first + 2).split("\n") == whole[first : first + 3]


def test_line_of_a_far_key() -> None:
    """A key that begins many lines above is known, and text that is too far away is not searched."""
    lines = [
        "-----BEGIN RSA PRIVATE KEY-----",
        *("MIIEow" + "k" * 30 for _ in range(150)),
        "x = 1",
        *["y = 2"] * 100_000,
    ]
    assert redacted_lines("\n".join(lines), 100, 101) == "<private-key>\n<private-key>"
    assert redacted_lines("\n".join(lines), 99_999, 100_002) == "y = 2\n" * 3 + "y = 2"


@given(st.text(alphabet="ab1 =:'\"\n-_/@.+<password>keytoken", max_size=400))
def test_any_text_is_redacted(text: str) -> None:
    """Any text is accepted, and converted offsets are in order and within the text."""
    redacted = redact(text)
    offsets = [redacted.offset(n) for n in range(len(text) + 1)]
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(redacted.text)
