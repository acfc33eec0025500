"""The suite ``replay``, which has no clock."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

from midfill.bench.scenes import Scene
from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request
from midfill.evals import replay, typed_scenes
from midfill.evals.replay import ReplayReport
from midfill.evals.sources import INSTALLED

SCENE = Scene("scene.py", "def f(x):\n    ", "total = x + 1\n    return total", "\n\nf(1)\n")


def play(suggest: Callable[[str, Request], str], scene: Scene = SCENE) -> ReplayReport:
    """Type the scene; ``suggest`` gets the typed text."""

    def complete(request: Request) -> Completion:
        assert (request.path, request.language, request.automatic) == (scene.path, "python", True)
        typed = request.text[len(scene.before) : request.offset]
        assert scene.typed.startswith(typed)
        assert request.text == scene.before + typed + scene.after
        text = suggest(typed, request)
        return Completion(
            text=text, start=request.offset, end=request.offset, model="scripted", logprobs=(math.log(0.5),) * 2
        )

    return replay.run(complete, [scene], "all", lambda *_: None)


def test_right_suggestion_is_taken() -> None:
    """A right suggestion is accepted at once, and nothing of it is typed."""
    report = play(lambda typed, _: SCENE.typed[len(typed) :].partition("\n")[0])
    # The second line: its newline and indentation are typed, for the suggestion there is empty.
    assert [shown.text for shown in report.filtered.shown] == ["total = x + 1", "return total"]
    assert report.filtered.right.value == 1.0
    assert report.filtered.accepted.count == len("total = x + 1return total")
    assert report.filtered.characters == len(SCENE.typed)
    assert report.filtered.wrong_per_100 == 0.0
    assert report.filtered.shown[0].confidence == confidence((math.log(0.5),) * 2)


def test_suggestion_that_is_right_in_its_first_line_is_partly_kept() -> None:
    """It is wrong as a whole; an author who accepts it by its first line keeps the beginning."""
    report = play(lambda typed, _: "" if typed else "total = x + 1\n    return x")
    assert not report.filtered.shown[0].right
    kept = report.filtered.kept
    assert (kept.suggested, kept.accepted, kept.kept) == (26, 26, 25)
    assert json.loads(json.dumps(report.to_json()))["filtered"]["by_first_line"]["kept"] == 25
    assert "kept         25 of 26 characters suggested, and of 26 that are accepted" in report.to_text()


def test_suggestion_typed_through_is_shown_once() -> None:
    """A suggestion that is right only at its beginning is one wrong suggestion, however long it is typed through."""
    places = []

    def suggest(typed: str, _: Request) -> str:
        places.append(typed)
        return "" if typed else "total = x * 2"

    report = play(suggest)
    assert [(shown.text, shown.right, shown.place) for shown in report.filtered.shown] == [("total = x * 2", False, 0)]
    assert report.filtered.wrong_per_100 == 100 / len(SCENE.typed)
    assert "total = " not in places
    assert "total = x +" in places


def test_every_place_asks() -> None:
    """Without a suggestion, each key makes a request; a newline and its indentation are one key."""
    asked: list[tuple[str, Request]] = []

    def suggest(typed: str, request: Request) -> str:
        asked.append((typed, request))
        return ""

    report = play(suggest)
    places = [typed for typed, request in asked if not request.unfiltered]
    assert report.filtered.shown == ()
    assert len(places) == len(SCENE.typed) - 4
    assert "total = x + 1\n    " in places
    assert "total = x + 1\n" not in places


def test_beyond_the_end_is_wrong() -> None:
    """A suggestion that is longer than the typed text is wrong."""
    report = play(lambda typed, _: SCENE.typed[len(typed) :] + " + 1")
    assert not any(shown.right for shown in report.filtered.shown)


def test_unfiltered_beside() -> None:
    """The scene is typed again without filters, and has separate figures."""
    report = play(lambda _, request: "wrong" if request.unfiltered else "")
    assert (len(report.filtered.shown), report.unfiltered.right.count) == (0, 0)
    assert len(report.unfiltered.shown) > 10
    said = json.loads(json.dumps(report.to_json(rows=True)))
    assert said["filtered"]["shown"] == 0
    assert said["unfiltered"]["rows"][0]["text"] == "wrong"
    assert report.to_text().split("\n")[0] == "replay: 30 characters of 1 files (all), model scripted"


def test_replacement_is_wrong() -> None:
    """A suggestion that replaces text after the cursor is wrong."""

    def complete(request: Request) -> Completion:
        return Completion(text="total", start=request.offset, end=request.offset + 1)

    assert not any(shown.right for shown in replay.run(complete, [SCENE], "all", lambda *_: None).filtered.shown)


def test_scenes_of_other_languages(tmp_path: Path) -> None:
    """A function is cut in its middle, from a statement to its end."""
    lua = next(language for language in INSTALLED if language.name == "Lua")
    body = "".join(f"  local value{number} = compute({number})\n" for number in range(80))
    (tmp_path / "some.lua").write_text(f"local M = {{}}\n\nfunction M.run()\n{body}end\n\nreturn M\n")
    scene = typed_scenes.scene_of(lua, [tmp_path])
    assert scene is not None
    assert scene.before.endswith("local value38 = compute(38)\n  ")
    assert scene.typed.startswith("local value39 = compute(39)\n")
    assert (scene.typed[-4:], scene.after) == ("\nend", "\n\nreturn M\n")


def test_no_scene(tmp_path: Path) -> None:
    """A language without a function long enough has no scene."""
    lua = next(language for language in INSTALLED if language.name == "Lua")
    (tmp_path / "some.lua").write_text("local value = compute(first, second)\n" * 80)
    assert typed_scenes.scene_of(lua, [tmp_path]) is None
