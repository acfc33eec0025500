"""LoRA (arXiv:2106.09685) on all products of a frozen model, for so many minutes, broken off and gone on with at will.

Sample N of a run is always the same, so a checkpoint is the adapter, the optimizer and how far it came. It is written
beside its place and moved there: a killed run leaves the last whole one.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import PreTrainedModel

from midfill.common.errors import ExportError
from midfill_export.build.progress import OnStage
from midfill_export.build.verify import Sample

RANK = 16
LEARNING_RATE = 4e-4
SAMPLES_A_STEP = 4
_LENGTHS = 32
"""Samples have a multiple of so many tokens."""
_UNLABELLED = -100
"""The label that torch's cross-entropy passes over."""
_WARM_UP = 0.05
"""Share of the time in which the learning rate rises."""
_LONGEST_GRADIENT = 1.0
_SAVE_SECONDS = 60.0
_TELL_SECONDS = 20.0

SampleAt = Callable[[int], Sample]
"""The number of a sample -> the sample."""


@dataclass
class Run:
    """How far a run has come."""

    identity: str
    """What it learns, from what, and how; another run's checkpoint is of no use."""
    steps: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Interrupted(Exception):
    """The user wants it to end; a checkpoint was written."""


def train(
    model: PreTrainedModel, sample_at: SampleAt, run: Run, seconds: float, checkpoint: Path, progress: OnStage
) -> PreTrainedModel:
    """Train for ``seconds`` in all, those of earlier sittings included; return the model with what it learnt merged in.

    Args:
        model: In FP32, on the device to train on.
        sample_at: What to learn.
        run: Gone on with if ``checkpoint`` is of the same identity, and written to.
        seconds: Of training; loading and saving come on top.
        checkpoint: Where to keep what was learnt, every minute and at the end.
        progress: Told how far it is.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM.
        ExportError: the disk is full, or the loss is no number any more.
    """
    torch.manual_seed(0)
    in_half = fast_half_precision(model.device.type)
    tuned = _with_adapter(deepcopy(model).to(torch.bfloat16) if in_half else model)
    learning = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=LEARNING_RATE, weight_decay=0.01)
    _restore(checkpoint, run, tuned, optimizer, progress)
    saved = told = time.monotonic()
    recent: list[float] = []
    with _signals() as asked:
        while run.seconds < seconds:
            started = time.monotonic()
            done = run.seconds / seconds
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * _rate(done)
            recent.append(_step(tuned, learning, optimizer, sample_at, run))
            now = time.monotonic()
            run.seconds += now - started
            if asked:
                _save(checkpoint, run, tuned, optimizer)
                raise Interrupted
            if now - saved > _SAVE_SECONDS:
                _save(checkpoint, run, tuned, optimizer)
                saved = now
            if now - told > _TELL_SECONDS:
                progress(_told(run, seconds, recent))
                told, recent = now, []
    _save(checkpoint, run, tuned, optimizer)
    progress(f"training: {run.samples} samples, {run.tokens:,} tokens in {run.seconds / 60:.1f} minutes")
    if in_half:
        learnt = _learnt(tuned)
        tuned = _with_adapter(model)
        set_peft_model_state_dict(tuned, learnt)
    merged: PreTrainedModel = tuned.merge_and_unload()
    return merged.eval()


def _with_adapter(model: PreTrainedModel) -> PeftModel:
    """Freeze ``model`` under an adapter in FP32, by a configuration of its own: peft writes what it finds into it."""
    return get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"))


def fast_half_precision(device: str) -> bool:
    """Whether products in bfloat16 are faster than in FP32: on GPUs, and on CPUs with instructions for them."""
    if device != "cpu":
        return True
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # no public way to ask


def _step(
    model: PeftModel,
    learning: list[torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    sample_at: SampleAt,
    run: Run,
) -> float:
    """Learn from some samples, one at a time; return the mean loss."""
    model.train()
    device = learning[0].device
    total = 0.0
    for _ in range(SAMPLES_A_STEP):
        sample = sample_at(run.samples)
        ids, labels = (torch.tensor([row], device=device) for row in padded([*sample.prompt, *sample.answer]))
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        (loss / SAMPLES_A_STEP).backward()
        total += float(loss.detach())
        run.samples += 1
        run.tokens += len(sample.prompt) + len(sample.answer)
    torch.nn.utils.clip_grad_norm_(learning, _LONGEST_GRADIENT)
    optimizer.step()
    optimizer.zero_grad()
    run.steps += 1
    if not math.isfinite(total):
        raise ExportError("the training ran away (its loss is no number): nothing was installed.")
    return total / SAMPLES_A_STEP


def padded(ids: list[int]) -> tuple[list[int], list[int]]:
    """Return a sample's tokens, padded to one of a few lengths, and the labels to learn from them: none of padding.

    Buffers of a few sizes are used again; with one of each length, memory grew from 6.6 to 9.8 GB in 20 minutes (0.5B).
    What comes after a token changes nothing for it, so nothing else hides the padding.
    """
    missing = -len(ids) % _LENGTHS
    return [*ids, *[0] * missing], [*ids, *[_UNLABELLED] * missing]


def _rate(done: float) -> float:
    """Return the share of the learning rate: a short rise, then half a cosine, by the share of time that is over."""
    if done < _WARM_UP:
        return max(done / _WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))


def _told(run: Run, seconds: float, recent: list[float]) -> str:
    end = time.strftime("%H:%M", time.localtime(time.time() + seconds - run.seconds))
    loss = sum(recent) / len(recent)
    rate = run.tokens / run.seconds
    return f"training: {run.seconds / seconds:.0%}, loss {loss:.3f}, {rate:.0f} tokens/s, done at about {end}"


def _learnt(model: PeftModel) -> dict[str, torch.Tensor]:
    learnt: dict[str, torch.Tensor] = get_peft_model_state_dict(
        model, save_embedding_layers=False
    )  # they are as they were
    return learnt


def _save(checkpoint: Path, run: Run, model: PeftModel, optimizer: torch.optim.Optimizer) -> None:
    state = {"run": vars(run), "adapter": _learnt(model), "optimizer": optimizer.state_dict()}
    partial = checkpoint.with_name(f"{checkpoint.name}.partial")
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(checkpoint)
    except (OSError, RuntimeError) as error:  # torch hides a full disk in the latter
        partial.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or "the disk may be full"
        raise ExportError(f"{checkpoint.parent}: {why}; what was learnt until the last checkpoint is kept.") from error


def _restore(checkpoint: Path, run: Run, model: PeftModel, optimizer: torch.optim.Optimizer, progress: OnStage) -> None:
    """Go on where the same run was broken off."""
    if not checkpoint.exists():
        return
    try:
        state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
        if state["run"]["identity"] != run.identity:
            progress("an earlier run was of other code or another model: this one starts afresh")
            return
        set_peft_model_state_dict(model, state["adapter"])
        optimizer.load_state_dict(state["optimizer"])
        vars(run).update(state["run"])
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError):
        progress("what an earlier run left cannot be read: this one starts afresh")
        return
    progress(f"going on after {run.seconds / 60:.1f} minutes and {run.samples} samples of an earlier sitting")


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Note SIGINT and SIGTERM instead of ending at once: the step at hand is finished, and kept."""
    asked: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
