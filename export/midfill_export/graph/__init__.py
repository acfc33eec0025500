"""The ONNX graph: traced, fused, packed."""
