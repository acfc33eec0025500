"""FP32 -> INT8, with what calibration measured."""
