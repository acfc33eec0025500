"""What a policy allows, and what it makes of settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from midfill.common.errors import PolicyRefused
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.settings.hosts import read_host
from midfill.settings.policy import Policy
from midfill.settings.schema import Settings
from midfill.settings.sources import SettingsSources
from policies import place_policy

ENGINES = ("coder.example.com:8443", "*.inside.example.com", "[::1]:8000", "10.0.0.5", "plain.example.com:80")
POLICY = Policy(file=Path("/etc/midfill/policy.toml"), exists=True, engines=tuple(map(read_host, ENGINES)))


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the user's settings file, which does not exist yet."""
    file = tmp_path / "midfill.toml"
    monkeypatch.setenv("MIDFILL_CONFIG", str(file))
    return file


def refusal(url: str) -> str:
    """Return why an engine is refused; "" if it is allowed."""
    try:
        POLICY.require_engine(url)
    except PolicyRefused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    "url",
    [
        "https://coder.example.com:8443",
        "HTTPS://CODER.example.com:8443/v1",
        "https://coder.example.com.:8443/",
        "https://a.inside.example.com",
        "http://b.a.inside.example.com:1234/v1",
        "http://[0:0::1]:8000",
        "http://10.0.0.5:8000/v1",
        "http://plain.example.com",
    ],
)
def test_allowed_engine(url: str) -> None:
    """A host without a port has any port; a URL without a port has that of its scheme."""
    assert refusal(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://coder.example.com",
        "https://evil.example.com:8443",
        "https://inside.example.com",
        "https://evilinside.example.com",
        "https://coder.example.com:8443@evil.example.com/",
        "https://evil.example.com\\@coder.example.com:8443/",
        "https://evil.example.com#@coder.example.com:8443/",
        "https://evil.example.com?@coder.example.com:8443/",
        "https://coder%2eexample.com:8443",
        "https://coder.example.com:8443\n.evil.example.com",
        "https://\u217doder.example.com:8443",
        "http://0x0a000005:8000",
        "http://[::1%25eth0]:8000",
        "http://[::1]:99999",
        "ftp://10.0.0.5/",
        "//10.0.0.5/",
        "10.0.0.5",
        "",
    ],
)
def test_engine_that_is_not_allowed(url: str) -> None:
    """So is any URL that clients could read in two ways. The line names the policy and what it allows."""
    assert re.fullmatch(r"The policy in .*policy.toml does not allow the engine .*, only engines on .*", refusal(url))


def test_refusal_shows_no_password() -> None:
    """A URL may hold one, and the line goes to logs."""
    assert "hidden" not in refusal("https://somebody:hidden@evil.example.com/")


def test_no_engine_is_allowed_by_an_empty_list() -> None:
    """A list that is empty allows none; a list that is missing allows all."""
    with pytest.raises(PolicyRefused, match="only engines on none: ask your administrators"):
        Policy(file=POLICY.file, exists=True, engines=()).require_engine("http://10.0.0.5")
    Policy(file=POLICY.file).require_engine("http://10.0.0.5")


def test_models_and_licences() -> None:
    """Both are compared without case, and each refusal says what is allowed."""
    policy = Policy(file=POLICY.file, exists=True, models=("qwen2.5-coder-*",), licences=("apache-2.0",))
    policy.require_model("Qwen2.5-Coder-0.5B-Instruct", "Apache-2.0")
    with pytest.raises(PolicyRefused, match=r"does not allow the model starcoder2, only the models qwen2.5-coder-"):
        policy.require_model("starcoder2", "apache-2.0")
    with pytest.raises(PolicyRefused, match=r"under the licence unknown, only the licences apache-2.0"):
        policy.require_model("qwen2.5-coder-3b", "")


def test_locked_setting_overrules_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: Path) -> None:
    """One line says so for each setting that has another value, also for a language, and only once."""
    file = place_policy(tmp_path, monkeypatch, "[settings]\nshareEngine = false\nmaxTokens = 8\nuse = 'commercial'\n")
    user.write_text("shareEngine = true\nuse = 'commercial'\n[languages.sql]\nmaxTokens = 99\nmaxLines = 2\n")
    sources = SettingsSources()
    settings, lines = sources.options({"maxTokens": 500})
    assert (settings.share_engine, settings.use, settings.for_language("sql").max_tokens) == (False, "commercial", 8)
    assert settings.for_language("sql").max_lines == 2
    assert lines == [
        f"Midfill setting 'shareEngine' is false, not true, because the policy in {file} says so.",
        f"Midfill setting 'languages.sql.maxTokens' is 8, not 99, because the policy in {file} says so.",
        f"Midfill setting 'maxTokens' is 8, not 500, because the policy in {file} says so.",
    ]
    assert sources.reload() == (settings, [])


@pytest.mark.parametrize("name", ["engine", "actionsEngine"])
def test_engine_that_the_policy_does_not_allow_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The model of this machine is used instead, and one line says why. An allowed one stays."""
    file = place_policy(tmp_path, monkeypatch, "engines = ['coder.example.com']")
    settings, lines = SettingsSources().options({name: "https://evil.example.com"})
    assert settings == Settings()
    assert lines == [
        f"Midfill setting '{name}' is ignored. The policy in {file} does not allow the engine evil.example.com:443,"
        " only engines on coder.example.com: ask your administrators."
    ]
    assert SettingsSources().options({name: "https://coder.example.com"})[0] != Settings()


def test_nobody_can_loosen_an_exclusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: Path) -> None:
    """Neither the user, nor the workspace, nor the editor, nor an ignore file; theirs still hold beside it."""
    place_policy(tmp_path, monkeypatch, "exclude = ['payroll/', '*.sql']\n")
    user.write_text("exclude = ['!*.sql', '!payroll/', '*.csv']\n")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "midfill.toml").write_text("exclude = ['!payroll/**']\n")
    (workspace / ".midfillignore").write_text("!*.sql\n!payroll/\n")
    settings, _ = SettingsSources([workspace]).options({"exclude": ["!*.sql", "!payroll/", "!payroll/a.py"]})
    rules = IgnoreRules([workspace], settings.exclude)
    names = ("a.py", "a.sql", "payroll/a.py", "a.csv")
    assert [rules.allows(workspace / name) for name in names] == [True, False, False, False]


@pytest.mark.parametrize("pattern", ["payroll", "payroll/", "a/payroll", "/work/**/payroll/", "*roll/", "/work/"])
@pytest.mark.parametrize("workspace", ["/work", "/work/a", "/work/a/payroll", "/work/a/payroll/deep", "/other"])
def test_exclusion_holds_in_every_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, workspace: str
) -> None:
    """Also where the workspace is within what is excluded, and for a document without a folder."""
    at_root = pattern.startswith("/")
    place_policy(tmp_path, monkeypatch, f"exclude = ['{tmp_path.as_posix() if at_root else ''}{pattern}']")
    settings, _ = SettingsSources().options({})
    folder = tmp_path / workspace[1:]
    file = tmp_path / "work" / "a" / "payroll" / "deep" / "b.py"
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    folder.mkdir(exist_ok=True)
    rules = IgnoreRules([folder], settings.exclude)
    assert not rules.allows(file)
    assert list(rules.walk()) == []
    assert not rules.allows_name(file)


def test_unusable_policy_excludes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a server whose model is loaded already, when it reads its settings again."""
    place_policy(tmp_path, monkeypatch, "damaged")
    settings, _ = SettingsSources().options({"exclude": ["!*"]})
    assert not IgnoreRules([tmp_path], settings.exclude).allows(tmp_path / "a.py")
