"""The logits of a checkpoint, computed by torch: the reference for the graph that is traced from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from midfill_export.build.verify import Logits, Sample


def torch_logits(model: PreTrainedModel, samples: Sequence[Sample]) -> list[Logits]:
    """Return the logits (answer, V) of each sample."""
    with torch.inference_mode():
        return [
            model(torch.tensor([sample.ids], device=model.device), logits_to_keep=len(sample.answer))
            .logits[0]
            .float()
            .cpu()
            .numpy()
            for sample in samples
        ]
