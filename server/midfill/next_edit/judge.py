"""How likely the model finds a given new text of a window: it is scored, not generated, in one short prefill."""

from __future__ import annotations

import math
from collections.abc import Sequence

from midfill.common.cancel import CancelFlag
from midfill.inference.token_generator import TokenGenerator
from midfill.inference.tokenizer import ModelTokenizer
from midfill.next_edit.difference import replacements


def least_odds(
    generator: TokenGenerator,
    tokenizer: ModelTokenizer,
    prompt: Sequence[int],
    window: str,
    guess: str,
    given: int,
    cancel: CancelFlag,
) -> float:
    """Return the odds of the least likely token of a guess, among those that differ from the window.

    Args:
        generator: has the model.
        tokenizer: the model's tokenizer.
        prompt: token ids that ask for the window's new text.
        window: the text as it is.
        guess: the text as it may become.
        given: number of first characters of both, which the prompt ends with.
        cancel: stops the work.

    Returns:
        The token's probability divided by that of the likeliest one at its place: 1 if the model would write all of it.

    Raises:
        Cancelled: ``cancel`` was set.
        ModelError: the model failed.
    """
    changed = _changed_characters(window, guess)
    ids = tokenizer.encode(guess[given:])
    # What follows the last change is as it was, and says nothing.
    stop = next((n for n in range(len(ids)) if given + len(tokenizer.text(ids[: n + 1])) >= changed[-1].stop), len(ids))
    worst, end = 0.0, given
    for number, score in enumerate(generator.score(prompt, ids[: stop + 1], cancel), start=1):
        start, end = end, given + len(tokenizer.text(ids[:number]))
        if any(start < part.stop and part.start < end for part in changed):
            worst = max(worst, score.margin)
    return math.exp(-worst)


def _changed_characters(window: str, guess: str) -> list[range]:
    """Return the characters of a guess that differ from the window; where some were removed, the next one counts."""
    found: list[range] = []
    shift = 0
    for part in replacements(window, guess):
        start = part.start + shift
        found.append(range(start, start + max(len(part.text), 1)))
        shift += len(part.text) - (part.end - part.start)
    return found
