"""The FP32 graph in ONNX: traced and optimized, or written from a GGUF."""
