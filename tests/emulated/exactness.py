"""Run on an emulated processor: what its arithmetic is, and whether a bundle is exact there.

    python -m emulated.exactness BUNDLE TEXT

Standard output is JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from midfill.common.cancel import CancelFlag
from midfill.inference import arithmetic
from midfill.inference.bundle import Bundle, load_bundle
from midfill.inference.decoder import Decoder
from midfill.inference.exactness import differing_splits
from midfill.inference.onnx_model import OnnxModel
from midfill.inference.prompt_lookup import SEPARATOR, DraftLength
from midfill.inference.token_healing import TokenHealing, Vocabulary

NEW_TOKENS = 12


def main(folder: str, text: str) -> None:
    """Write what was found."""
    bundle = load_bundle(Path(folder))
    found = arithmetic.detect()
    model, context = OnnxModel.of(bundle, threads=2), bundle.manifest.usable_context
    with_drafts, without = (_decode(model, bundle, text, draft_length) for draft_length in (8, 0))
    differing = differing_splits(model, context) + differing_splits(model, context, (0, 1, 6, 16, 27), range(1, 13, 2))
    report = {
        "arithmetic": found.value,
        "activation bits": arithmetic.activation_bits(bundle.manifest.weight_limit, found),
        "differing": differing,
        "with drafts": with_drafts,
        "without": without,
    }
    sys.stdout.write(json.dumps(report))


def _decode(model: OnnxModel, bundle: Bundle, text: str, draft_length: int) -> list[list[float]]:
    """Return the tokens after ``text`` with their log-probabilities; drafts are looked up in ``text``."""
    ids = Tokenizer.from_file(str(bundle.tokenizer)).encode(text, add_special_tokens=False).ids
    cache = model.new_cache(len(ids) + NEW_TOKENS)
    decoder = Decoder(model, cache, CancelFlag(), DraftLength(draft_length), np.array([*ids, SEPARATOR], np.int32))
    choices = decoder.generate(ids, TokenHealing(Vocabulary([]), ""), max_tokens=NEW_TOKENS, stop_tokens=())
    return [[choice.token, choice.logprob] for choice in choices]


if __name__ == "__main__":
    main(*sys.argv[1:])
