"""From a model's weights to a Midfill bundle: the only part of Midfill that may use the network."""

import midfill  # noqa: F401 (keeps onnxruntime quiet, which must be said before it is imported)
