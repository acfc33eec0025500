"""The FP32 graph in ONNX: traced and optimized, or a template filled from a GGUF."""
