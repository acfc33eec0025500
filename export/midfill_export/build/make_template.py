"""``midfill export SOURCE --template FILE``: trace a GGUF's model with torch, once, so that nobody else needs torch."""

from __future__ import annotations

import gc
from pathlib import Path

from midfill.common.errors import ExportError
from midfill.inference.bundle import GRAPH
from midfill_export.build import verify
from midfill_export.build.convert import PARITY_LIMIT, PARITY_SAMPLES
from midfill_export.build.pack import OnStage, scratch_beside
from midfill_export.graph import graph
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.loaders import template
from midfill_export.loaders.checkpoint import open_checkpoint, torch_logits
from midfill_export.loaders.formats import find_format
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.quantization.rotate import can_rotate


def make_template(source: str, out: Path, progress: OnStage = lambda _: None) -> None:
    """Write the template of a GGUF's model to ``out``, having compared it, filled again, with the checkpoint.

    Raises:
        SourceError: ``source`` cannot be read.
        ExportError: it is no GGUF, or its graph cannot be told from its tensors, or is not the model.
    """
    checkpoint = open_checkpoint(source)
    if checkpoint.gguf_file is None:
        raise ExportError(f"{source} is no GGUF file: a template is made of one.")
    gguf = open_gguf(Path(source).expanduser())
    with scratch_beside(out) as scratch:
        tokenizer, _ = checkpoint.load_tokenizer()
        fim, _ = find_format(tokenizer)
        samples = verify.verification_samples(verify.plain_encoder(tokenizer), fim)[:PARITY_SAMPLES]
        model = checkpoint.load_model()
        progress(f"checkpoint: {checkpoint.name}, FP32")
        expected = torch_logits(model, samples)
        rotaries = export_onnx(model, scratch / GRAPH, model.config.max_position_embeddings)
        del model
        gc.collect()
        progress("onnx: traced with fused attention")
        lean = graph.optimise(scratch / GRAPH, rotaries)
        if not can_rotate(lean.graph):
            raise ExportError(f"{checkpoint.name} has norms that Midfill makes no template of.")
        template.empty(lean, rotaries[0], gguf)
        made = scratch / "template.onnx"
        template.save(lean, 0, made)
        progress(f"template: {made.stat().st_size / 1e3:.0f} kB, every weight found in {gguf.path.name}")
        difference = verify.largest_difference(expected, verify.float_logits(template.fill(made, gguf), samples))
        if not difference <= PARITY_LIMIT:
            raise ExportError(f"the template differs from the checkpoint by {difference:.2g} in a logit: not written.")
        progress(f"parity: filled, it is within {difference:.1e} of the checkpoint")
        template.save(lean, difference, made)
        made.replace(out)
