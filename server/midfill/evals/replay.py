"""The suite ``replay``: files are typed again character by character, and the suggestions shown are counted.

There is no clock. Every keystroke makes a request, through the completion cache, so a suggestion counts once however
long it is typed through. A suggestion is right if the author types exactly that text next. A right suggestion is
accepted, and the cursor moves behind it. After a wrong one the next character is typed.

The characters that are kept are those of an author who accepts by the first line (:mod:`midfill.bench.kept`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from midfill.bench.kept import KeptCharacters, Offer, count_kept
from midfill.bench.scenes import Scene
from midfill.code.languages import language_of
from midfill.completion.cache import CompletionCache
from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request
from midfill.evals.report import Rate
from midfill.evals.runner import Complete, OnProgress

MAX_CHARACTERS = 120
"""Maximum number of characters that are typed of each scene."""


@dataclass(frozen=True, kw_only=True)
class ShownSuggestion:
    """A suggestion that the author saw."""

    scene: str
    """The scene's path."""
    place: int
    """Number of characters typed before it."""
    text: str
    right: bool
    confidence: float
    """The probability, according to the model, that the whole suggestion is correct."""


@dataclass(frozen=True, kw_only=True)
class TypingResult:
    """The result of typing one scene or several."""

    characters: int
    shown: tuple[ShownSuggestion, ...]
    kept: KeptCharacters

    @property
    def right(self) -> Rate:
        """The share of suggestions that were right."""
        return Rate(sum(suggestion.right for suggestion in self.shown), len(self.shown))

    @property
    def accepted(self) -> Rate:
        """The share of characters that came from accepted suggestions."""
        return Rate(sum(len(suggestion.text) for suggestion in self.shown if suggestion.right), self.characters)

    @property
    def wrong_per_100(self) -> float:
        """Number of wrong suggestions per 100 characters."""
        return 100 * sum(not suggestion.right for suggestion in self.shown) / self.characters

    def to_json(self, *, rows: bool) -> dict[str, Any]:
        """Return the result as JSON values, with every suggestion if ``rows``."""
        summary: dict[str, Any] = {
            "shown": len(self.shown),
            "right": self.right.to_json(),
            "characters_accepted": self.accepted.to_json(),
            "wrong_per_100_characters": self.wrong_per_100,
            "by_first_line": dataclasses.asdict(self.kept),
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(suggestion) for suggestion in self.shown]
        return summary


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """The results of typing the same scenes with the filters and the confidence gate, and without them."""

    selection: str
    model: str
    scenes: tuple[str, ...]
    filtered: TypingResult
    unfiltered: TypingResult

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with every suggestion if ``rows``."""
        return {
            "suite": "replay",
            "selection": self.selection,
            "model": self.model,
            "scenes": list(self.scenes),
            "characters": self.filtered.characters,
            "filtered": self.filtered.to_json(rows=rows),
            "unfiltered": self.unfiltered.to_json(rows=rows),
        }

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        lines = [
            f"replay: {self.filtered.characters} characters of {len(self.scenes)} files ({self.selection}),"
            f" model {self.model or 'unknown'}"
        ]
        for title, typed in (("as shown", self.filtered), ("unfiltered", self.unfiltered)):
            lines += [
                f"  {title}",
                f"    suggestions  {len(typed.shown)}",
                f"    right        {typed.right}",
                f"    accepted     {typed.accepted.value:.1%} of all characters",
                f"    wrong        {typed.wrong_per_100:.1f} per 100 characters",
                f"    kept         {typed.kept.kept} of {typed.kept.suggested} characters suggested, and of"
                f" {typed.kept.accepted} that are accepted by their first line",
            ]
        return "\n".join(lines)


def run(complete: Complete, scenes: Sequence[Scene], selection: str, progress: OnProgress) -> ReplayReport:
    """Type every scene twice: with the filters and the confidence gate, and without them."""
    typed: dict[bool, list[TypingResult]] = {False: [], True: []}
    names = []
    author = _Author(complete)
    for scene in scenes:
        names.append(scene.path)
        for unfiltered in (False, True):
            typed[unfiltered].append(author.type(scene, unfiltered=unfiltered))
            progress(sum(map(len, typed.values())), 2 * len(scenes))
    return ReplayReport(
        selection=selection,
        model=author.model,
        scenes=tuple(names),
        filtered=_total(typed[False]),
        unfiltered=_total(typed[True]),
    )


def _total(results: Sequence[TypingResult]) -> TypingResult:
    return TypingResult(
        characters=sum(result.characters for result in results),
        shown=tuple(suggestion for result in results for suggestion in result.shown),
        kept=sum((result.kept for result in results), KeptCharacters()),
    )


class _Author:
    """Types scenes, and accepts right suggestions."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete
        self.model = ""

    def type(self, scene: Scene, *, unfiltered: bool) -> TypingResult:
        cache = CompletionCache()
        shown: list[ShownSuggestion] = []
        keys = [key.text for key in scene.keys(MAX_CHARACTERS)]
        typed = "".join(keys)
        strokes = {place: key for key, place in zip(keys, _places(keys), strict=True)}
        place = 0
        while place < len(typed):
            request = Request(
                text=scene.before + typed[:place] + scene.after,
                offset=len(scene.before) + place,
                path=scene.path,
                language=next(iter(language_of(scene.path).ids)),
                automatic=True,
                unfiltered=unfiltered,
            )
            if cache.find(request) is None:
                completion = self._complete(request)
                self.model = completion.model or self.model
                cache.add(request, completion)
                if completion.text:
                    right = _is_right(completion, request, scene.typed[place:])
                    shown.append(
                        ShownSuggestion(
                            scene=scene.path,
                            place=place,
                            text=completion.text,
                            right=right,
                            confidence=confidence(completion.logprobs) or 0.0,
                        )
                    )
                    if right:
                        place += len(completion.text)
                        continue
            # If an accepted suggestion ended within an indentation, the rest of that is typed space by space.
            place += len(strokes.get(place, " "))
        kept = count_kept(Offer(scene.typed[suggestion.place :], suggestion.text) for suggestion in shown)
        return TypingResult(characters=max(place, 1), shown=tuple(shown), kept=kept)


def _places(keys: Sequence[str]) -> list[int]:
    """Return the number of characters that are typed before each key."""
    places, place = [], 0
    for key in keys:
        places.append(place)
        place += len(key)
    return places


def _is_right(completion: Completion, request: Request, rest: str) -> bool:
    """Return whether a suggestion is exactly the text that is typed next, and replaces nothing."""
    return completion.start == completion.end == request.offset and rest.startswith(completion.text)
