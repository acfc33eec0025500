"""The policy file: where it is, who must have written it, and what becomes of one that cannot be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from midfill.common.errors import PolicyRefused
from midfill.settings import policy_file
from midfill.settings.hosts import Host
from midfill.settings.policy import Policy
from midfill.settings.policy_file import read_policy
from policies import POSIX, place_policy

FULL = """
engines = ["Coder.example.com:8443", "*.inside.example.com", "[::1]"]
models = ["Qwen2.5-Coder-*"]
licences = ["Apache-2.0"]
exclude = ["secret/", "*.sql"]
record = false

[settings]
use = "commercial"
shareEngine = false
maxTokens = 32
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the path of Linux")
def test_no_variable_moves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is where only root can write, whatever the user's environment says."""
    names = ("HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "MIDFILL_CONFIG", "MIDFILL_CACHE", "MIDFILL_POLICY")
    for name in (*names, "ProgramData", "PROGRAMDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    assert policy_file.policy_file() == Path("/etc/midfill/policy.toml")


def refusal(owner: str) -> str:
    """Return why a file of an owner on Windows is refused, or ""."""
    try:
        policy_file._check_owner(owner, Path("policy.toml"))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("owner", ["S-1-5-18", "S-1-5-32-544"])
def test_owner_on_windows_may_be_an_administrator(owner: str) -> None:
    """That is the system, or the group that owns what an administrator makes."""
    assert refusal(owner) == ""


@pytest.mark.parametrize("owner", ["", "S-1-5-21-1-2-3-1001", "S-1-5-32-545", "S-1-5-18-1", "s-1-5-18"])
def test_owner_on_windows_may_not_be_a_user(owner: str) -> None:
    """Users may make files in a folder of the administrators there, and cannot make them somebody else's."""
    assert "does not belong to the administrators; one of them can run `takeown /a" in refusal(owner)


def test_without_a_file_nothing_is_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither without the file nor without its folder."""
    file = place_policy(tmp_path, monkeypatch)
    assert read_policy() == Policy(file=file)
    file.parent.rmdir()
    assert read_policy() == Policy(file=file)


def test_every_rule_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of models, hosts and licences have no case."""
    file = place_policy(tmp_path, monkeypatch, FULL)
    assert read_policy() == Policy(
        file=file,
        exists=True,
        engines=(Host("coder.example.com", 8443), Host("inside.example.com", below=True), Host("::1")),
        models=("qwen2.5-coder-*",),
        licences=("apache-2.0",),
        exclude=("secret/", "*.sql"),
        record=False,
        settings={"use": "commercial", "share_engine": False, "max_tokens": 32},
    )
    assert str(read_policy()) == (
        "engines: coder.example.com:8443, *.inside.example.com, [::1]; models: qwen2.5-coder-*; licences: apache-2.0;"
        ' excluded: secret/, *.sql; no recordings; use = "commercial"; shareEngine = false; maxTokens = 32'
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models = [", "line 1 is not valid TOML"),
        (b"models = ['\xff']", "line 1 is not UTF-8"),
        ("engine = []", "it has no rule 'engine'; the rules are engines, models, licences, exclude, record, settings"),
        ("models = 'qwen'", "'models' must be a list of texts"),
        ("engines = ['https://coder.example.com/']", "'engines' must be a list of hosts"),
        ("engines = ['coder:99999']", "'engines' must be a list of hosts"),
        ("exclude = ['!*.pem']", "'exclude' must be a list of patterns, none with '!'"),
        ("record = 0", "'record' must be true or false"),
        ("settings = 3", "Midfill settings in its table 'settings' must be an object, not int"),
        ("[settings]\nmaxTokens = 0", "Midfill setting 'maxTokens' in its table 'settings' must be a whole number"),
        ("[settings]\nbundle = '/tmp/b'", "the setting 'bundle' cannot be locked"),
        ("[settings]\nrunCode = 'always'", "the setting 'runCode' can only be locked to \"never\""),
        ("[settings]\nquietLanguages = ['sql']", "the setting 'quietLanguages' cannot be locked"),
        ("a" * 40_000, "it has more than 32768 bytes"),
        ("x = " + "[" * 900, "it is nested too deeply"),
    ],
)
def test_damaged_file_forbids_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, why: str
) -> None:
    """A rule that is misspelt must not be a rule less: one line says what is wrong."""
    file = place_policy(tmp_path, monkeypatch, text)
    found = read_policy()
    assert found == Policy.unusable(file, found.problem)
    assert found.problem.startswith(why)
    with pytest.raises(
        PolicyRefused, match=r"^Nothing is completed, because the policy in .* cannot be used: "
    ) as error:
        found.require_model("qwen", "mit")
    assert "\n" not in str(error.value)


@POSIX
@pytest.mark.parametrize(("mode", "of_folder"), [(0o664, False), (0o646, False), (0o777, True), (0o775, True)])
def test_file_that_others_can_write_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, of_folder: bool
) -> None:
    """Nor one in a folder that others can write: they could have put another in its place, or removed it."""
    file = place_policy(tmp_path, monkeypatch, "")
    changed = file.parent if of_folder else file
    changed.chmod(mode)
    assert read_policy().problem == (
        f"others than root can write {changed}; an administrator can run `chmod go-w '{changed}'`"
    )


@POSIX
def test_removed_file_in_a_folder_that_others_can_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can write the folder could have removed the policy."""
    file = place_policy(tmp_path, monkeypatch)
    file.parent.chmod(0o777)
    assert read_policy().problem.startswith(f"others than root can write {file.parent}")


@POSIX
def test_file_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be root's, as the test's user is here."""
    file = place_policy(tmp_path, monkeypatch, "")
    monkeypatch.setattr(policy_file, "_OWNER", os.getuid() + 1)
    assert read_policy().problem.startswith(f"{file.parent} does not belong to root")


@POSIX
@pytest.mark.timeout(60)
def test_pipe_in_its_place_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a regular file is read."""
    file = place_policy(tmp_path, monkeypatch)
    os.mkfifo(file)
    assert read_policy().problem == "it is not a regular file"


@POSIX
def test_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody meant a policy to be there."""
    file = place_policy(tmp_path, monkeypatch)
    file.symlink_to(tmp_path / "gone.toml")
    assert read_policy().problem.startswith("it is a link that leads nowhere")
    file.unlink()
    file.parent.rmdir()
    file.parent.symlink_to(tmp_path / "gone")
    assert read_policy().problem.startswith("it is a link that leads nowhere")


@POSIX
def test_file_in_place_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody knows what the policy is."""
    file = place_policy(tmp_path, monkeypatch)
    file.parent.rmdir()
    file.parent.write_text("")
    file.parent.chmod(0o644)
    assert read_policy().problem


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_that_the_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says who can change that."""
    place_policy(tmp_path, monkeypatch, "").chmod(0o000)
    assert read_policy().problem == "you may not read it; an administrator must let all users read it"
