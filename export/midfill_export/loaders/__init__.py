"""Reading weights: checkpoints, GGUF files, and templates that are filled from them."""
