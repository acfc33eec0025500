"""A session in a file: what `serve --record` keeps, and that `midfill replay` gives the same answers."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.raw_client import MIDFILL, Json, RawClient, ghost_text_at
from fuzz.values import mutated
from lengths import only_at_length
from midfill.cli.main import main
from unit.helpers import chain_graph, write_bundle

TOKEN = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token }}"
HELPERS = "def combine_totals(first_total, second_total):\n    return first_total + second_total\n"
MAIN = f'from helpers import combine_totals\n\nTOKEN = "{TOKEN}"\n\n\ndef add(a, b):\n    return \n\nprint(add(1, 2))\n'
LINE, COLUMN = 6, 11
"""The cursor, after "return "."""
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 8, "character": 0}}
FUNCTION = {"start": {"line": 5, "character": 0}, "end": {"line": 7, "character": 0}}
EXCLUDED = "sentinel_of_an_excluded_file = 1\n"
OPTIONS = {"minConfidence": 0, "maxTokens": 16}
SENTINELS = (TOKEN, TOKEN[4:14], "sentinel_of_an_excluded_file")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with a real graph that says one word anywhere."""
    folder = tmp_path_factory.mktemp("bundle")
    graph = chain_graph("left", anywhere=True)
    return write_bundle(folder, graph, chat_template=TEMPLATE, context_length=32_768).path


@pytest.fixture(scope="module")
def recorded(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a recorded session of the tiny model."""
    folder = tmp_path_factory.mktemp("recorded")
    record(tiny, folder)
    return folder


def typed(client: RawClient, uri: str, version: int, text: str) -> None:
    """Type at the cursor, which stands as many characters further as the version says."""
    place = {"line": LINE, "character": COLUMN + version - 1}
    change = {"range": {"start": place, "end": place}, "text": text}
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}
    )


def ask(client: RawClient, number: int, command: str, argument: Json) -> None:
    """Run a command, and wait for its answer."""
    answer = client.request(number, "workspace/executeCommand", {"command": command, "arguments": [argument]})
    assert "result" in answer


def items(answer: Json) -> list[str]:
    """Return the texts of an answer."""
    return [item["insertText"] for item in answer["result"]["items"]]


def record(bundle: Path, folder: Path) -> list[list[str]]:
    """Go through a session that is recorded in ``session.jsonl``; return the texts of each answer."""
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / ".git").mkdir()
    (workspace / "helpers.py").write_text(HELPERS)
    (workspace / "main.py").write_text(MAIN)
    (workspace / ".env").write_text(EXCLUDED)
    uri, hidden = (workspace / "main.py").as_uri(), (workspace / ".env").as_uri()
    environment = {**os.environ, "MIDFILL_BUNDLE": str(bundle)}
    answers = []
    with RawClient([*MIDFILL, "--record", str(folder / "session.jsonl")], folder / "stderr", environment) as client:
        client.initialize(options=OPTIONS, folder=workspace)
        client.wait_until_loaded()
        client.open(MAIN, uri)
        client.open(EXCLUDED, hidden)
        answers.append(client.request(1, "textDocument/inlineCompletion", ghost_text_at(LINE, COLUMN, uri)))
        typed(client, uri, 1, items(answers[0])[0][0])
        answers.append(client.request(2, "textDocument/inlineCompletion", ghost_text_at(LINE, COLUMN + 1, uri)))
        typed(client, uri, 2, "(")
        invoked = ghost_text_at(LINE, COLUMN + 2, uri)
        invoked["context"]["triggerKind"] = 1
        answers.append(client.request(3, "textDocument/inlineCompletion", invoked))
        answers.append(client.request(4, "textDocument/inlineCompletion", ghost_text_at(2, 15, uri)))
        answers.append(client.request(5, "textDocument/inlineCompletion", ghost_text_at(0, 4, hidden)))
        ask(client, 6, "midfill.ask", {"uri": uri, "range": WHOLE, "text": f"What is {TOKEN}?"})
        ask(client, 7, "midfill.do", {"action": "document", "uri": uri, "range": FUNCTION})
        ask(client, 8, "midfill.do", {"action": "tests", "uri": uri, "range": FUNCTION})
        client.request(9, "shutdown", None)
        client.notify("exit", None)
        assert client.wait() == 0
        assert "This session is recorded, without secrets, in" in client.stderr()
    return [items(answer) for answer in answers]


def replay(bundle: Path, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Replay a file with a bundle, in an empty cache folder."""
    command = [sys.executable, "-m", "midfill", "replay", str(file), "--bundle", str(bundle), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_session(bundle: Path, folder: Path) -> None:
    """Record a session, and replay it to the same answers."""
    given = record(bundle, folder)
    kept = (folder / "session.jsonl").read_text()
    assert not [sentinel for sentinel in SENTINELS if sentinel in kept]
    assert "<github-token>" in kept
    found = json.loads(replay(bundle, folder / "session.jsonl", "--json").stdout)
    suggestions, actions = found["answers"][:3], found["answers"][3:]
    texts = [[answer["now"]["text"], *answer["now"]["alternatives"]] for answer in suggestions]
    # A client that invokes gets the first word as an item of its own, too.
    assert texts == [shown[: len(text)] for shown, text in zip(given, texts, strict=False)]
    assert [answer["difference"] for answer in found["answers"]] == [""] * 5
    assert actions[0]["now"]["text"]
    assert actions[1]["now"]["lines"] or actions[1]["now"]["reason"]
    assert (given[3:], found["unread"]) == ([[], []], 3)


def test_answers_are_the_same(tiny: Path, tmp_path: Path) -> None:
    """A real server and a tiny model: an answer, the rest of it, and alternatives; no secret, no excluded file."""
    check_session(tiny, tmp_path)


@only_at_length
@pytest.mark.bundle
def test_answers_of_the_real_model_are_the_same(bundle: Path, tmp_path: Path) -> None:
    """So are those of the real model, with a part of another file in its prompt."""
    check_session(bundle, tmp_path)
    assert "first_total + second_total" in (tmp_path / "session.jsonl").read_text()


def test_nothing_is_written_unasked(tiny: Path, tmp_path: Path) -> None:
    """A file that exists stays as it is."""
    (tmp_path / "session.jsonl").write_text("mine\n")
    record(tiny, tmp_path)
    assert (tmp_path / "session.jsonl").read_text() == "mine\n"
    assert (tmp_path / "session-2.jsonl").is_file()


def says_otherwise(lines: list[Json]) -> None:
    """Claim another answer."""
    lines[3]["answer"]["text"] = "no\x1b[2J"


def has_another_prompt(lines: list[Json]) -> None:
    """Claim another prompt."""
    lines[3]["answer"]["prompt"] = "0" * 16


def was_killed(lines: list[Json]) -> None:
    """End with the question."""
    del lines[3:]


@pytest.mark.parametrize(
    ("lie", "line"),
    [
        (says_otherwise, 'OTHER ANSWER  1  main.py:7:12  "left"\n    recorded: "no\\u001b[2J"\n'),
        (has_another_prompt, 'OTHER PROMPT  1  main.py:7:12  "left"\n    recorded: "left"\n'),
        (was_killed, 'UNANSWERED  1  main.py:7:12  "left"\n'),
    ],
)
def test_difference_is_said(tiny: Path, recorded: Path, lie: Callable[[list[Json]], None], line: str) -> None:
    """A lying file is found out, and nothing that it says reaches the terminal as it is."""
    ran = replay(tiny, tampered(recorded, lie))
    assert ran.returncode == 1
    assert line in ran.stdout.replace(str(recorded / "workspace") + os.sep, "")


def another_bundle(lines: list[Json]) -> None:
    """Claim another bundle."""
    lines[1]["digest"] = "0" * 16


def bundle_of_the_file(lines: list[Json]) -> None:
    """Name a folder, which only the user may."""
    lines[1]["settings"]["bundle"] = "/"


def wrong_setting(lines: list[Json]) -> None:
    """Set what no setting can be."""
    lines[1]["settings"]["maxTokens"] = 1_000_000


def many_alternatives(lines: list[Json]) -> None:
    """Ask for more than any client does."""
    lines[2]["question"]["alternatives"] = 1_000_000


def answer_to_nothing(lines: list[Json]) -> None:
    """Leave a question out."""
    del lines[2]


def no_model(lines: list[Json]) -> None:
    """Leave the model out."""
    del lines[1]


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (another_bundle, "was recorded with another bundle"),
        (bundle_of_the_file, "is damaged at line 2"),
        (wrong_setting, "is damaged at line 2"),
        (many_alternatives, "is damaged at line 3"),
        (answer_to_nothing, "is damaged at line 3"),
        (no_model, "is damaged at line 3"),
    ],
)
def test_lie_is_one_line(tiny: Path, recorded: Path, lie: Callable[[list[Json]], None], says: str) -> None:
    """What cannot be true ends the replay in one line that says where it stands."""
    ran = replay(tiny, tampered(recorded, lie))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert says in ran.stderr


def mutate_one(lines: list[Any], seed: int) -> None:
    """Change something in one of the lines."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable
    number = chance.randrange(len(lines))
    lines[number] = mutated(lines[number], chance)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_stands_in_a_file(tiny: Path, recorded: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A replay ends as it should: no surprise, at most one line of error, and nothing that a terminal would obey."""
    file = tampered(recorded, lambda lines: mutate_one(lines, seed))
    code = main(["replay", str(file), "--bundle", str(tiny)])
    out, err = capsys.readouterr()
    assert (code in (0, 1), err.count("\n") <= 1, "unexpected" in err) == (True, True, False)
    assert f"{out}{err}".replace("\n", "").isprintable()


def tampered(folder: Path, change: Callable[[list[Any]], None]) -> Path:
    """Change the lines of the recorded session; return the new file."""
    lines = [json.loads(line) for line in (folder / "session.jsonl").read_text().splitlines()]
    change(lines)
    file = folder / "tampered.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file
