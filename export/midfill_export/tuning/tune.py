"""``midfill tune``: fine-tune a model on code or on changes, and build its bundle if it has become better at them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from midfill.common.errors import BundleDamaged, BundleNotFound, ExportError, UsageError
from midfill.inference.bundle import load_bundle, read_manifest
from midfill.inference.licences import Permit
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build import verify
from midfill_export.build.bundle import build_bundle
from midfill_export.build.bundle_folder import copy_bundle, put_in_place, require_bundle_folder, scratch_beside
from midfill_export.build.from_checkpoint import trace_checkpoint
from midfill_export.build.progress import OnStage
from midfill_export.build.torch_logits import torch_logits
from midfill_export.loaders.checkpoint import Checkpoint, open_checkpoint
from midfill_export.loaders.fim_formats import find_format
from midfill_export.tuning.lessons import Subject, read_subject
from midfill_export.tuning.scoring import Score, score
from midfill_export.tuning.training import LEARNING_RATE, RANK, SAMPLES_PER_STEP, Run, train


class NotBetter(ExportError):
    """The tuned model is no better on what was held out; no bundle was changed."""


@dataclass(frozen=True)
class Tuned:
    """The result of a finished run."""

    path: Path
    previous: Path | None
    """Where the previous bundle was copied to; None if there was none."""
    before: Score
    """Score of the base model in FP32."""
    after: Score
    """Score of the tuned bundle in INT8."""
    run: Run


@dataclass(frozen=True)
class _TunedCheckpoint(Checkpoint):
    """A checkpoint whose weights were changed and are in memory."""

    models: list[PreTrainedModel]
    """The model, until it is loaded."""

    def load_model(self) -> PreTrainedModel:
        return self.models.pop()  # removed here, so that the caller can free its memory


def tune(
    folder: Path,
    base: str,
    out: Path,
    minutes: float,
    permit: Permit,
    progress: OnStage,
    *,
    edits: bool = False,
    fresh: bool = False,
) -> Tuned:
    """Fine-tune ``base`` on what is in ``folder`` and put its bundle at ``out``, if it is better on what is held out.

    Args:
        folder: Where the code is, or a git repository, or releases.
        base: A GGUF file, a checkpoint folder or a hub id.
        out: The bundle's folder; an older bundle there is kept beside it.
        minutes: Of training, those of interrupted runs included.
        permit: What the user does with the model, and which licences the user accepts.
        progress: Called with a line after each stage.
        edits: Learn next edits from the changes, instead of gaps in the code.
        fresh: Start again instead of continuing an interrupted run.

    Raises:
        UsageError: there is too little to learn from.
        EvalError: a repository or a release cannot be read.
        SourceError, LicenceRefused, ExportError: as
            :func:`midfill_export.build.from_checkpoint.bundle_from_checkpoint`.
        NotBetter: the tuned model is no better on what was held out.
        Interrupted: the user stopped the run; calling again with the same arguments continues it.
    """
    require_bundle_folder(out)
    with suppress(BundleNotFound, BundleDamaged):
        read_manifest(out)  # a bundle that cannot be kept is refused now, not after the training
    subject = read_subject(folder, edits=edits)
    progress(str(subject))
    checkpoint = open_checkpoint(base)
    permit.check(checkpoint.source.license, checkpoint.name)
    tokenizer, _ = checkpoint.load_tokenizer()
    fim, _ = find_format(tokenizer)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = checkpoint.load_model().to(device)
    lessons = subject.lessons(tokenizer, model.config.max_position_embeddings)
    held_out = lessons.held_out
    if not held_out:
        raise UsageError(f"{folder}: no sample could be cut out of what is held out: name a folder with more.")
    progress(f"model: {checkpoint.name}, {model.num_parameters() / 1e6:.0f}M parameters, {fim}, on {device}")
    before = score(held_out, torch_logits(model, held_out))
    progress(f"before: {before}")

    training_state = out.with_name(f".{out.name}.tuning") / "run.pt"
    if fresh:
        shutil.rmtree(training_state.parent, ignore_errors=True)
    run = Run(_identity(checkpoint, subject))
    tuned = train(
        model,
        lessons.sample_at,
        run,
        minutes * 60,
        training_state,
        progress,
        answers_only=lessons.answers_only,
    )
    learned = score(held_out, torch_logits(tuned, held_out))
    progress(f"after, in FP32: {learned}")
    _require_better(before, learned, "in FP32")

    source = replace(checkpoint.source, repository=f"{checkpoint.source.repository}, tuned")
    tuned_checkpoint = _TunedCheckpoint(
        checkpoint.location, checkpoint.gguf_file, f"{checkpoint.name}, tuned", source, [tuned.cpu()]
    )
    with scratch_beside(out) as scratch:
        build_bundle(trace_checkpoint(tuned_checkpoint, scratch, progress), scratch / "tuned", progress=progress)
        bundle = load_bundle(scratch / "tuned")
        after = score(held_out, verify.graph_logits(OnnxModel.of(bundle), held_out))
        progress(f"after, in INT8: {after}")
        _require_better(before, after, "in INT8")
        previous = _keep_previous(out)
        put_in_place(bundle.folder, bundle.manifest, out)
    shutil.rmtree(training_state.parent, ignore_errors=True)
    return Tuned(out, previous, before, after, run)


def to_json(tuned: Tuned) -> dict[str, object]:
    """Return what JSON can hold."""
    return {
        "path": str(tuned.path),
        "previous": str(tuned.previous) if tuned.previous else None,
        "before": asdict(tuned.before),
        "after": asdict(tuned.after),
        "samples": tuned.run.samples,
        "tokens": tuned.run.tokens,
        "minutes": round(tuned.run.seconds / 60, 2),
    }


def _identity(checkpoint: Checkpoint, subject: Subject) -> str:
    """Return a text that is the same only for runs that may continue each other."""
    origin = checkpoint.source.sha256 or checkpoint.location
    return f"{origin} {subject.fingerprint} {RANK} {LEARNING_RATE} {SAMPLES_PER_STEP}"


def _require_better(before: Score, after: Score, how: str) -> None:
    if after.perplexity >= before.perplexity:
        raise NotBetter(
            f"The tuned model is no better on what was held out ({how}: perplexity {before.perplexity:.3f} before, "
            f"{after.perplexity:.3f} after): no bundle was changed. Give it more to learn from, or more time."
        )


def _keep_previous(out: Path) -> Path | None:
    """Copy the bundle that is at ``out`` to a folder beside it, which is returned; None if there is no whole bundle."""
    try:
        bundle = load_bundle(out)
    except (BundleNotFound, BundleDamaged):
        return None
    previous = out.with_name(f"{out.name}.previous")
    copy_bundle(bundle, previous)
    return previous
