"""LoRA (arXiv:2106.09685) on all products of a frozen model, for a number of minutes; a run can be interrupted.

Sample N of a run is always the same. So a checkpoint is the adapter, the optimizer's state and the number of samples.
It is written to a temporary file, which is then moved to its place: a killed run leaves the last whole checkpoint.
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
from midfill.common.file_system import replace_file
from midfill.common.os_errors import explain
from midfill.common.signals import ENDING
from midfill_export.build.progress import OnStage
from midfill_export.build.verify import Sample

RANK = 16
LEARNING_RATE = 4e-4
SAMPLES_PER_STEP = 4
_LENGTH_MULTIPLE = 32
"""Samples are padded to a multiple of this many tokens."""
_UNLABELLED = -100
"""The label that torch's cross-entropy ignores."""
_WARM_UP = 0.05
"""Share of the training time in which the learning rate rises."""
_MAX_GRADIENT_NORM = 1.0
_SAVE_SECONDS = 60.0
_REPORT_SECONDS = 20.0

SampleAt = Callable[[int], Sample]
"""The number of a sample -> the sample."""


@dataclass
class Run:
    """The progress of a run."""

    identity: str
    """A text that names the model, the code and the method; only a run with the same text can be continued."""
    steps: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Time spent on training, those of interrupted runs included."""


class Interrupted(Exception):
    """The user stopped the run; a checkpoint was written."""


def train(
    model: PreTrainedModel,
    sample_at: SampleAt,
    run: Run,
    seconds: float,
    checkpoint: Path,
    progress: OnStage,
    *,
    answers_only: bool = False,
) -> PreTrainedModel:
    """Train for ``seconds`` in all, those of interrupted runs included; return the model with the adapter merged in.

    Args:
        model: In FP32, on the device to train on.
        sample_at: Returns the samples to train on.
        run: Updated while the training goes on; continued from ``checkpoint`` if that has the same identity.
        seconds: Time for training; loading and saving take extra time.
        checkpoint: The file that the state is saved to, every minute and at the end.
        progress: Called with a line when the training starts, and then every 20 seconds.
        answers_only: Learn the answers, and not the prompts before them.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM.
        ExportError: the disk is full, or the loss is not a number.
    """
    torch.manual_seed(0)
    in_half = fast_half_precision(model.device.type)
    tuned = _with_adapter(deepcopy(model).to(torch.bfloat16) if in_half else model)
    trained = [parameter for parameter in tuned.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.01)
    _restore(checkpoint, run, tuned, optimizer, progress)
    saved = reported = time.monotonic()
    recent: list[float] = []
    with _signals() as received:
        progress(f"training: {(seconds - run.seconds) / 60:.1f} minutes to go")
        while run.seconds < seconds:
            started = time.monotonic()
            done = run.seconds / seconds
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * _rate(done)
            recent.append(_step(tuned, trained, optimizer, sample_at, run, answers_only=answers_only))
            now = time.monotonic()
            run.seconds += now - started
            if received:
                _save(checkpoint, run, tuned, optimizer)
                raise Interrupted
            if now - saved > _SAVE_SECONDS:
                _save(checkpoint, run, tuned, optimizer)
                saved = now
            if now - reported > _REPORT_SECONDS:
                progress(_report(run, seconds, recent))
                reported, recent = now, []
    _save(checkpoint, run, tuned, optimizer)
    progress(f"training: {run.samples} samples, {run.tokens:,} tokens in {run.seconds / 60:.1f} minutes")
    if in_half:
        adapter = _adapter_of(tuned)
        tuned = _with_adapter(model)
        set_peft_model_state_dict(tuned, adapter)
    merged: PreTrainedModel = tuned.merge_and_unload()
    return merged.eval()


def _with_adapter(model: PreTrainedModel) -> PeftModel:
    """Freeze ``model`` and add an adapter in FP32; the configuration is a new one, because peft changes it."""
    return get_peft_model(model, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"))


def fast_half_precision(device: str) -> bool:
    """Whether products in bfloat16 are faster than in FP32: on GPUs, and on CPUs with instructions for them."""
    if device != "cpu":
        return True
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # no public way to ask


def _step(
    model: PeftModel,
    trained: list[torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    sample_at: SampleAt,
    run: Run,
    *,
    answers_only: bool,
) -> float:
    """Train on ``SAMPLES_PER_STEP`` samples, one at a time; return the mean loss."""
    model.train()
    device = trained[0].device
    total = 0.0
    for _ in range(SAMPLES_PER_STEP):
        sample = sample_at(run.samples)
        given = len(sample.prompt) if answers_only else 0
        rows = padded([*sample.prompt, *sample.answer], given)
        ids, labels = (torch.tensor([row], device=device) for row in rows)
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        (loss / SAMPLES_PER_STEP).backward()
        total += float(loss.detach())
        run.samples += 1
        run.tokens += len(sample.prompt) + len(sample.answer)
    torch.nn.utils.clip_grad_norm_(trained, _MAX_GRADIENT_NORM)
    optimizer.step()
    optimizer.zero_grad()
    run.steps += 1
    if not math.isfinite(total):
        raise ExportError("The training failed (its loss is not a number): no bundle was changed. Try other code.")
    return total / SAMPLES_PER_STEP


def padded(ids: list[int], given: int = 0) -> tuple[list[int], list[int]]:
    """Return a sample's tokens, padded to one of a few lengths, and their labels. The first ``given`` have none.

    torch keeps buffers of each length: without padding, memory grew from 6.6 to 9.8 GB in 20 minutes (0.5B).
    Padding has no label. It needs no mask, because a token does not depend on later ones.
    """
    missing = -len(ids) % _LENGTH_MULTIPLE
    return [*ids, *[0] * missing], [*[_UNLABELLED] * given, *ids[given:], *[_UNLABELLED] * missing]


def _rate(done: float) -> float:
    """Return the share of the learning rate after a share of the time: a short rise, then half a cosine."""
    if done < _WARM_UP:
        return max(done / _WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))


def _report(run: Run, seconds: float, recent: list[float]) -> str:
    end = time.strftime("%H:%M", time.localtime(time.time() + seconds - run.seconds))
    loss = sum(recent) / len(recent)
    rate = run.tokens / run.seconds
    return f"training: {run.seconds / seconds:.0%}, loss {loss:.3f}, {rate:.0f} tokens/s, finished at about {end}"


def _adapter_of(model: PeftModel) -> dict[str, torch.Tensor]:
    # The embedding layers are not trained.
    adapter: dict[str, torch.Tensor] = get_peft_model_state_dict(model, save_embedding_layers=False)
    return adapter


def _save(checkpoint: Path, run: Run, model: PeftModel, optimizer: torch.optim.Optimizer) -> None:
    state = {"run": vars(run), "adapter": _adapter_of(model), "optimizer": optimizer.state_dict()}
    partial = checkpoint.with_name(f"{checkpoint.name}.partial")
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        replace_file(partial, checkpoint)
    except (OSError, RuntimeError) as error:  # torch hides a full disk in the latter
        partial.unlink(missing_ok=True)
        why = explain(error) if isinstance(error, OSError) else "the disk may be full"
        raise ExportError(
            f"{checkpoint.parent}: {why}. The last saved checkpoint is kept; run the same command again to continue."
        ) from error


def _restore(checkpoint: Path, run: Run, model: PeftModel, optimizer: torch.optim.Optimizer, progress: OnStage) -> None:
    """Continue an interrupted run, if the checkpoint is of the same run."""
    if not checkpoint.exists():
        return
    try:
        state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
        if state["run"]["identity"] != run.identity:
            progress("an earlier run used other code or another model: this run starts again")
            return
        set_peft_model_state_dict(model, state["adapter"])
        optimizer.load_state_dict(state["optimizer"])
        vars(run).update(state["run"])
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError):
        progress("the checkpoint of an earlier run cannot be read: this run starts again")
        return
    progress(f"continuing an earlier run after {run.seconds / 60:.1f} minutes and {run.samples} samples")


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Record signals to end instead of ending at once, so that the current step is finished and saved."""
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: received.append(number)) for number in (signal.SIGINT, *ENDING)
    }
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
