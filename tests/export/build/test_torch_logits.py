"""The reference's logits are those at the places of the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from midfill_export.build.torch_logits import torch_logits
from midfill_export.build.verify import Sample


def test_logits_of_the_answer(checkpoint: Path) -> None:
    """A row for each token of the answer: what the model predicts before it."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    [logits] = torch_logits(model, [Sample([5, 60, 81], [200, 7])])
    with torch.inference_mode():
        expected = model(torch.tensor([[5, 60, 81, 200]])).logits[0].numpy()
    assert logits.shape == (2, expected.shape[1])
    assert np.abs(logits - expected[2:]).max() < 1e-5
