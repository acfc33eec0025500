"""Training: padded samples."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from midfill_export.tuning.training import padded  # noqa: E402 (it needs torch and peft)


def test_padding_is_not_trained_on(checkpoint: Path) -> None:
    """A sample's loss is the same with padding, so that a few sizes of buffers serve all samples."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    sample = list(range(5, 45))
    ids, labels = padded(sample)
    assert len(ids) == len(labels) == 64
    whole, plain = torch.tensor([sample]), model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss
    assert torch.allclose(model(input_ids=whole, labels=whole).loss, plain)
    assert padded(sample[:32]) == (sample[:32], sample[:32])


def test_prompts_need_not_be_learnt() -> None:
    """Then only the answer has labels."""
    ids, labels = padded(list(range(5, 45)), given=30)
    assert ids[:40] == list(range(5, 45))
    assert [label for label in labels if label >= 0] == list(range(35, 45))
