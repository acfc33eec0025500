"""Guessing ahead never changes what the real model writes: not a token, nor a bit of its probability."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from lengths import length, only_at_length
from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import load_bundle
from midfill.inference.decoder import Decoder
from midfill.inference.onnx_model import LONG_PAST, OnnxModel
from midfill.inference.prompt_lookup import SEPARATOR, DraftLength
from midfill.inference.sampling import Choice, Sampler, Sampling, greedy
from midfill.inference.token_healing import TokenHealing, Vocabulary

SOURCES = ("argparse.py", "textwrap.py", "json/decoder.py", "dataclasses.py", "heapq.py")
PROMPTS_A_SOURCE = length(4, 40)
PROMPT_TOKENS = 48
NEW_TOKENS = 6
LOOKED_UP = 4000
"""Tokens of the source before the prompt, to find guesses in."""
DRAWN = 8
"""One prompt in this many is continued at random instead of greedily."""


@pytest.mark.bundle
def test_guesses_change_nothing_over_many_prompts(bundle: Path) -> None:
    """For prompts cut from the standard library, the choices with guesses are those without, in fewer steps."""
    loaded = load_bundle(bundle)
    tokenizer = Tokenizer.from_file(str(loaded.tokenizer))
    model = OnnxModel.of(loaded)
    cache = model.new_cache(PROMPT_TOKENS + NEW_TOKENS)
    with_guesses, without = DraftLength(), DraftLength(0)
    steps = {with_guesses: 0, without: 0}

    def choices(prompt: list[int], before: list[int], seed: int, draft_length: DraftLength) -> list[Choice]:
        elsewhere = np.array([*before, SEPARATOR], np.int32)
        decoder = Decoder(model, cache, CancelFlag(), draft_length, elsewhere)
        made = list(
            decoder.generate(
                prompt,
                TokenHealing(Vocabulary([]), ""),
                max_tokens=NEW_TOKENS,
                stop_tokens=loaded.manifest.stop_tokens,
                pick=greedy if seed % DRAWN else Sampler(Sampling(temperature=0.7, top_p=0.95, seed=seed)),
            )
        )
        steps[draft_length] += decoder.steps
        return made

    for number, name in enumerate(SOURCES):
        text = (Path(sysconfig.get_path("stdlib")) / name).read_text(encoding="utf-8")
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        ends = np.linspace(PROMPT_TOKENS, len(ids), PROMPTS_A_SOURCE, dtype=int).tolist()
        for place, end in enumerate(ends):
            start = end - PROMPT_TOKENS
            before = ids[max(0, start - LOOKED_UP) : start]
            seed = number * PROMPTS_A_SOURCE + place
            # The second finds the prompt in the cache: guesses are checked after a cold prompt and with a warm one.
            ways = (with_guesses, without) if place % 2 else (without, with_guesses)
            first, second = (choices(ids[start:end], before, seed, way) for way in ways)
            assert first == second, f"{name}, after token {end}"
    saved = steps[without] - steps[with_guesses]
    assert saved > len(SOURCES) * PROMPTS_A_SOURCE // 2, "hardly a guess was right, so hardly anything was tested"


@only_at_length
@pytest.mark.bundle
def test_guesses_change_nothing_where_attention_changes(bundle: Path) -> None:
    """From a long past on, few tokens are attended to in another way: guesses across that place are still exact."""
    loaded = load_bundle(bundle)
    tokenizer = Tokenizer.from_file(str(loaded.tokenizer))
    model = OnnxModel.of(loaded)
    text = (Path(sysconfig.get_path("stdlib")) / "argparse.py").read_text(encoding="utf-8")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    prompt, following = ids[: LONG_PAST - 8], ids[LONG_PAST - 60 : LONG_PAST + 60]
    cache = model.new_cache(LONG_PAST + 40)

    def choices(draft_length: DraftLength) -> tuple[list[Choice], int]:
        decoder = Decoder(model, cache, CancelFlag(), draft_length, np.array([*following, SEPARATOR], np.int32))
        healing = TokenHealing(Vocabulary([]), "")
        return list(decoder.generate(prompt, healing, max_tokens=32, stop_tokens=[])), decoder.steps

    (guessed, few), (alone, many) = choices(DraftLength()), choices(DraftLength(0))
    assert guessed == alone
    assert few < many, "no guess was right, so nothing was tested"
