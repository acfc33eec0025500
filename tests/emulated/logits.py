"""Run on an emulated processor: the logits of a bundle for given samples.

    python -m emulated.logits BUNDLE SAMPLES OUT

SAMPLES is a JSON list of [prompt, answer], both token ids. OUT becomes a file of numpy with an array of logits
(answer, V) for each sample.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from midfill.inference.bundle import load_bundle
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build.verify import Sample, graph_logits


def main(folder: str, samples: str, out: str) -> None:
    """Write the logits."""
    given = [Sample(prompt, answer) for prompt, answer in json.loads(Path(samples).read_text(encoding="utf-8"))]
    np.savez(out, *graph_logits(OnnxModel.of(load_bundle(Path(folder)), threads=2), given))
    sys.stdout.write("{}")


if __name__ == "__main__":
    main(*sys.argv[1:])
