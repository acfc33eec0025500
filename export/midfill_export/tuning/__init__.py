"""Fine-tuning a model on the user's own code, on the user's machine: samples, training, scores, a bundle."""
