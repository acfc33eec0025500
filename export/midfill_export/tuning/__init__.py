"""A model fine-tuned on somebody's own code, on their own machine: samples, training, judgement, a bundle."""
