"""A team at one engine: real servers that type at a small engine over real HTTP, and the figures of a level."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lengths import only_at_length
from midfill.bench.engine_counts import EngineCounts
from midfill.bench.replay import Keystroke
from midfill.bench.team import Level, TeamPlan, TeamReport, sizes
from midfill.bench.team_report import to_json, to_svg, to_text
from midfill.common.errors import PolicyRefused
from policies import place_policy
from unit.cli.conftest import own_folders, run  # noqa: F401 -- fixtures
from unit.cli.running import Run, is_one_line
from unit.helpers import encode, manifest, write_bundle
from unit.remote.model_server import ModelServer, serving

STROKES = [
    Keystroke(following="turn x", seconds=0.1, suggestion="turn x", tokens_computed=None),
    Keystroke(following="urn x", seconds=0.3, suggestion="urn y", tokens_computed=None),
    Keystroke(following="rn x", seconds=0.2, suggestion="", tokens_computed=None),
    Keystroke(following="n x", seconds=math.inf, suggestion="", tokens_computed=None),
    Keystroke(following="", seconds=0.1, suggestion="", tokens_computed=None),
]


def level(developers: int = 1, *, strokes: list[Keystroke] = STROKES, counts: EngineCounts | None = None) -> Level:
    """Return what some developers saw."""
    return Level(developers=developers, strokes=strokes, seconds=1.0, shown_tokens=6, counts=counts, memory=90.4)


REPORT = TeamReport(
    "127.0.0.1:8000, vLLM, model coder",
    TeamPlan(),
    [level(counts=EngineCounts(24, 100, 50)), level(20, strokes=STROKES[3:])],
)


@pytest.mark.parametrize(
    ("largest", "tried"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (20, [1, 2, 5, 10, 20]), (101, [1, 2, 5, 10, 20, 50, 100, 101])],
)
def test_sizes(largest: int, tried: list[int]) -> None:
    """They grow, so that it is seen where an engine has enough."""
    assert sizes(largest) == tried


def test_figures_of_a_level() -> None:
    """Times are of what was shown; shares are of all that was asked, or of what left something to suggest."""
    found = level(counts=EngineCounts(24, 100, None))
    assert (found.cancelled, found.answered, found.right) == (1, 0.8, 0.25)
    assert [found.first_ms(50), found.first_ms(95), found.right_ms(50)] == [100, 300, 100]
    assert (found.wasted, found.reused) == (0.75, None)
    nothing = level(strokes=STROKES[3:])
    assert (nothing.first_ms(50), nothing.right_ms(95), nothing.right, nothing.wasted) == (None, None, 0, None)


def test_table() -> None:
    """What is unknown is a dash, and each level has a bar."""
    assert to_text(REPORT).splitlines() == [
        "127.0.0.1:8000, vLLM, model coder; 60 keys each, one every 200 ms",
        "",
        "developers  answered  right  suggestion          right one          requests  cancelled  prompts     tokens"
        "   not seen  memory",
        "             in time                p50     p95        p50     p95                        reused  generated"
        "  by anyone    each",
        "         1       80%    25%      100 ms  300 ms     100 ms  100 ms         5          1      50%         24"
        "        75%   90 MB",
        "        20       50%     0%           -       -          -       -         2          1        -          -"
        "          -   90 MB",
        "",
        "milliseconds to a suggestion, 95th percentile",
        f" 1  {'█' * 40} 300",
        "20  -",
    ]


def test_json_and_plot() -> None:
    """JSON has null for what is unknown; the plot leaves such a point out."""
    first, second = to_json(REPORT)["levels"]
    assert (first["suggestion_ms"], first["tokens_generated"], first["prompt_tokens_reused"]) == (
        {"p50": 100, "p95": 300},
        24,
        50,
    )
    assert (second["right_ms"], second["not_seen"]) == ({"p50": None, "p95": None}, None)
    assert json.loads(json.dumps(to_json(REPORT))) == to_json(REPORT)
    assert to_svg(REPORT).count("<polyline") == 4


@only_at_length
@pytest.mark.usefixtures("own_folders")
def test_real_servers_type_at_an_engine(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Each developer's request reaches the engine as token ids, and the picture is written."""
    size = manifest().vocabulary
    table = np.zeros((size, size), np.float32)
    table[:, encode("left")[0]] = 1.0
    bundle = write_bundle(tmp_path / "b", context_length=1024).path
    with serving(ModelServer(table)) as engine:
        ran = run("bench", "--team", 2, "--engine", engine.url, "--quick", "--bundle", bundle, "-o", tmp_path / "t.svg")
        prompts = engine.prompts()
    assert ran.code == 0, ran.err
    assert [line.split()[0] for line in ran.out.splitlines()[4:6]] == ["1", "2"]
    assert len(prompts) >= 3
    assert (tmp_path / "t.svg").read_text().startswith("<svg")


@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--team", 2], "--team needs --engine URL, the address of the engine, or your setting `engine`."),
        (["--engine", "http://h"], "--engine goes with --team N, the number of developers."),
        (["--team", 2, "--engine", "h:80"], "'h:80' is not the address of an engine: write http://HOST:PORT or https"),
        (["--team", 2, "--engine", "http://u:p@h"], "is not the address of an engine"),
        (["--team", 2, "--engine", "http://h", "--peer", "x=y"], "--team measures an engine: leave out --peer."),
        (["--team", 2, "--engine", "http://h", "-o", "/no/such/f.svg"], "there is no folder /no/such for the picture."),
    ],
)
def test_wrong_usage(run: Run, arguments: list[object], complaint: str) -> None:  # noqa: F811
    """One line says what is wrong before anything starts."""
    ran = run("bench", *arguments)
    assert is_one_line(ran, 2)
    assert complaint in ran.err


@pytest.mark.usefixtures("own_folders")
def test_engine_that_is_away(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """One line says so, and no server is started."""
    bundle = write_bundle(tmp_path / "b").path
    ran = run("bench", "--team", 2, "--engine", "http://127.0.0.1:9", "--bundle", bundle)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "midfill: The server 127.0.0.1:9 cannot be used: nothing listens there: is it running?\n"


@pytest.mark.usefixtures("own_folders")
def test_policy_decides_about_the_engine(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Nothing is sent to one that it does not allow, also if the command line names it."""
    place_policy(tmp_path, monkeypatch, "engines = ['coder.example.com']")
    ran = run("bench", "--team", 1, "--engine", "http://127.0.0.1:9", "--bundle", write_bundle(tmp_path / "b").path)
    assert is_one_line(ran, PolicyRefused.exit_code)
    assert "does not allow the engine 127.0.0.1:9, only engines on coder.example.com" in ran.err
