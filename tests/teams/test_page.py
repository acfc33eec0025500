"""What docs/teams.md tells people to type can be run: `nox -s teams` runs it, and here it is read."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from midfill.cli.parser import make_parser
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import read
from policies import place_policy
from teams.page import EXAMPLE, PAGE, RUN, SERVER, VALUES, Block, Section, sections

SECTIONS = sections(PAGE.read_text(encoding="utf-8"))
BLOCKS = [block for section in SECTIONS for block in section.blocks]
COMMANDS = [block for block in BLOCKS if block.language == "sh"]
RUNNABLE = [section for section in SECTIONS if section.titled(SERVER)]


def of_file(name: str) -> Block:
    """Return the block that is a file."""
    return next(block for block in BLOCKS if block.title == name)


def test_blocks_are_found() -> None:
    """Sections have their blocks, in order; a block without a title is for reading only."""
    page = 'a\n\n```sh title="values"\nx\n```\n\n## B\n\n```sh\nno\n```\n\n```toml title="f.toml"\ny\nz\n```\n'
    assert sections(page) == [
        Section("", (Block("sh", "values", "x\n"),)),
        Section("B", (Block("toml", "f.toml", "y\nz\n"),)),
    ]


def test_every_block_of_the_page_has_a_title() -> None:
    """One without would never be run."""
    assert PAGE.read_text(encoding="utf-8").count("\n```") == 2 * len(BLOCKS)
    assert {block.title for block in COMMANDS} == {VALUES, SERVER, RUN, EXAMPLE}
    assert len(RUNNABLE) == 4


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("text", [block.text for block in COMMANDS])
def test_shell_can_read_it(text: str) -> None:
    """Quotes and line ends are right."""
    assert subprocess.run(["bash", "-n", "-c", text], check=False).returncode == 0


@pytest.mark.parametrize("section", RUNNABLE, ids=lambda section: section.title)
def test_each_server_is_asked(section: Section) -> None:
    """So that its run fails if it does not serve."""
    assert "curl" in section.titled(RUN)[0]


def test_midfills_own_commands_exist() -> None:
    """Their options are those of the command line."""
    lines = [line for block in COMMANDS for line in block.text.splitlines() if line.startswith("midfill ")]
    parsed = [make_parser().parse_args(shlex.split(line)[1:]).command for line in lines]
    assert parsed == ["bench"]


def test_policy_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's example has every rule."""
    place_policy(tmp_path, monkeypatch, of_file("/etc/midfill/policy.toml").text)
    assert str(read_policy()) == (
        "engines: coder.example.com:8443, *.models.example.com; models: qwen2.5-coder-*; licences: apache-2.0, mit;"
        ' excluded: payroll/, /srv/keys/, *.tfvars; no recordings; use = "commercial"; journal = false'
    )
    read_policy().require_engine("https://coder.example.com:8443")


def test_settings_are_some(tmp_path: Path) -> None:
    """Midfill knows each of them."""
    lines = (line.split(" = ") for line in of_file("midfill.toml").text.splitlines())
    values, problems = read({name: value.strip('"') for name, value in lines})
    assert (len(values), problems) == (3, [])


@pytest.mark.parametrize("name", ["coder.py", "token_router.py"])
def test_python_files_can_be_read(name: str) -> None:
    """They need Ray to run."""
    assert compile(of_file(name).text, name, "exec")


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("caddy") is None, reason="needs caddy")
def test_caddy_takes_its_file(tmp_path: Path) -> None:
    """It checks the file as it does at its start."""
    (tmp_path / "Caddyfile").write_text(of_file("Caddyfile").text)
    assert subprocess.run(["caddy", "validate", "--adapter", "caddyfile"], cwd=tmp_path, check=False).returncode == 0
