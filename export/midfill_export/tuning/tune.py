"""``midfill tune``: a folder of code and a model -> a bundle that knows the code better, or none."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from midfill.common.errors import ExportError, UsageError
from midfill.inference.bundle import GRAPH, load_bundle
from midfill.inference.licences import Permit
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build import verify
from midfill_export.build.convert import to_bundle, to_float
from midfill_export.build.pack import OnStage, scratch_beside
from midfill_export.loaders.checkpoint import Checkpoint, open_checkpoint, torch_logits
from midfill_export.loaders.formats import STOP_TOKENS, find_format
from midfill_export.tuning.judging import Score, judge
from midfill_export.tuning.samples import Corpus, Cutter, read_corpus
from midfill_export.tuning.training import LEARNING_RATE, RANK, SAMPLES_A_STEP, Run, train


class NotBetter(ExportError):
    """What was learnt is of no use: the bundle there is stays."""


@dataclass(frozen=True)
class Tuned:
    """A run that came to an end."""

    path: Path
    previous: Path | None
    """Where the bundle is that stood there before."""
    before: Score
    """Of the model as it was, in FP32."""
    after: Score
    """Of the bundle, in INT8."""
    run: Run


@dataclass(frozen=True)
class _Given(Checkpoint):
    """A checkpoint whose weights are at hand, changed."""

    models: list[PreTrainedModel]

    def load_model(self) -> PreTrainedModel:
        return self.models.pop()  # whoever asked for it lets it go


def tune(
    folder: Path,
    base: str,
    out: Path,
    minutes: float,
    permit: Permit,
    progress: OnStage,
    *,
    fresh: bool = False,
) -> Tuned:
    """Fine-tune ``base`` on the code in ``folder`` and put its bundle at ``out``, if it is better on code held out.

    Args:
        folder: Where the code is.
        base: As for :func:`midfill_export.build.convert.convert`.
        out: The bundle's folder; one that is there is kept beside it.
        minutes: Of training, in all sittings.
        permit: What its licence wants.
        progress: Told a line for each stage.
        fresh: Whether an interrupted run is forgotten instead of gone on with.

    Raises:
        UsageError: there is too little code.
        SourceError, LicenceRefused, ExportError: as :func:`midfill_export.build.convert.convert`.
        NotBetter: the code held out is filled no better than before.
        Interrupted: by the user; the same command goes on.
    """
    corpus = read_corpus(folder)
    progress(f"code: {corpus}")
    checkpoint = open_checkpoint(base)
    permit.check(checkpoint.source.license, checkpoint.name)
    tokenizer, _ = checkpoint.load_tokenizer()
    fim, _ = find_format(tokenizer)
    ends = [tokenizer.token_to_id(text) for text in STOP_TOKENS]
    end = next((token for token in ends if token is not None), None) if fim.middle >= 0 else None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = checkpoint.load_model().to(device)
    cutter = Cutter(verify.plain_encoder(tokenizer), fim, end, model.config.max_position_embeddings)
    held_out = cutter.held_out(corpus.held_out)
    if not held_out:
        raise UsageError(f"{folder}: the files kept apart have nothing to judge by: give it more code.")
    progress(f"model: {checkpoint.name}, {model.num_parameters() / 1e6:.0f}M parameters, {fim}, on {device}")
    before = judge(held_out, torch_logits(model, held_out))
    progress(f"before: {before}")

    kept = out.with_name(f".{out.name}.tuning") / "run.pt"
    if fresh:
        shutil.rmtree(kept.parent, ignore_errors=True)
    run = Run(_identity(checkpoint, corpus))
    tuned = train(model, lambda number: cutter.training(corpus.learnt, number), run, minutes * 60, kept, progress)
    learnt = judge(held_out, torch_logits(tuned, held_out))
    progress(f"after, in FP32: {learnt}")
    _require_better(before, learnt, "in FP32")

    named = replace(checkpoint.source, repository=f"{checkpoint.source.repository}, tuned")
    given = _Given(checkpoint.location, checkpoint.gguf_file, f"{checkpoint.name}, tuned", named, [tuned.cpu()])
    with scratch_beside(out) as scratch:
        exported = to_bundle(to_float(given, scratch, progress), scratch, scratch / "tuned", progress=progress)
        bundle = load_bundle(exported.path)
        after = judge(held_out, verify.graph_logits(OnnxModel(bundle.path / GRAPH, bundle.manifest.kv), held_out))
        progress(f"after, in INT8: {after}")
        _require_better(before, after, "in INT8")
        previous = _install(exported.path, out)
    shutil.rmtree(kept.parent, ignore_errors=True)
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


def _identity(checkpoint: Checkpoint, corpus: Corpus) -> str:
    """Tell runs apart: what goes on with another's checkpoint would be neither."""
    origin = checkpoint.source.sha256 or checkpoint.location
    return f"{origin} {corpus.fingerprint} {RANK} {LEARNING_RATE} {SAMPLES_A_STEP}"


def _require_better(before: Score, after: Score, how: str) -> None:
    if after.perplexity >= before.perplexity:
        raise NotBetter(
            f"What was learnt does not carry over ({how}: perplexity {before.perplexity:.3f} before, "
            f"{after.perplexity:.3f} after, on files kept apart): no bundle was changed. Give it more code or time."
        )


def _install(bundle: Path, out: Path) -> Path | None:
    """Move a bundle to its place, and one that is there beside it."""
    previous = out.with_name(f"{out.name}.previous")
    if out.exists():
        shutil.rmtree(previous, ignore_errors=True)
        out.rename(previous)
    bundle.rename(out)
    return previous if previous.exists() else None
