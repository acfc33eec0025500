"""From a model's weights to a Midfill bundle: the only part of Midfill that may use the network."""

import midfill  # noqa: F401 (silences onnxruntime, which must happen before onnxruntime is imported)
