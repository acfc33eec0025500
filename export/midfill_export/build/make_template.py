"""``midfill export SOURCE --template FILE``: trace a GGUF's model once, so that ``midfill pull`` needs no torch."""

from __future__ import annotations

import gc
from pathlib import Path

from midfill.common.errors import ExportError
from midfill.common.file_system import replace_file
from midfill.inference.bundle import GRAPH
from midfill_export.build import verify
from midfill_export.build.bundle_folder import scratch_beside
from midfill_export.build.progress import OnStage
from midfill_export.build.torch_logits import torch_logits
from midfill_export.graph import template
from midfill_export.graph.optimize import optimize
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.loaders.fim_formats import find_format
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.quantization.rotate import can_rotate


def make_template(source: str, out: Path, progress: OnStage = lambda _: None) -> None:
    """Write the template of a GGUF's model to ``out``, if it computes what the checkpoint does when it is filled again.

    Raises:
        SourceError: ``source`` cannot be read.
        ExportError: ``source`` is not a GGUF, or some weights of the graph are not found in it, or the filled template
            differs from the checkpoint.
    """
    checkpoint = open_checkpoint(source)
    if checkpoint.gguf_file is None:
        raise ExportError(f"{source} is not a GGUF file: a template can only be made of a GGUF file.")
    gguf = open_gguf(Path(source).expanduser())
    with scratch_beside(out) as scratch:
        tokenizer, _ = checkpoint.load_tokenizer()
        fim, _ = find_format(tokenizer)
        samples = verify.verification_samples(verify.plain_encoder(tokenizer), fim)[: verify.PARITY_SAMPLES]
        model = checkpoint.load_model()
        progress(f"checkpoint: {checkpoint.name}, FP32")
        expected = torch_logits(model, samples)
        rotaries = export_onnx(model, scratch / GRAPH, model.config.max_position_embeddings)
        del model
        gc.collect()
        progress("onnx: traced with fused attention")
        lean = optimize(scratch / GRAPH, rotaries)
        if not can_rotate(lean.graph):
            raise ExportError(f"{checkpoint.name} has norms that a template cannot have; use `midfill export` for it.")
        template.empty(lean, rotaries[0], gguf)
        made = scratch / "template.onnx"
        template.save(lean, 0, made)
        progress(f"template: {made.stat().st_size / 1e3:.0f} kB, every weight found in {gguf.path.name}")
        difference = verify.largest_difference(expected, verify.float_logits(template.fill(made, gguf), samples))
        if not difference <= verify.PARITY_LIMIT:
            raise ExportError(f"the template differs from the checkpoint by {difference:.2g} in a logit: not written.")
        progress(f"parity: the logits of the filled template are within {difference:.1e} of the checkpoint's")
        template.save(lean, difference, made)
        replace_file(made, out)
