"""FP32 -> INT8: calibration, rotation and rounding."""
