"""From token ids to tokens: a bundle, its model, and what makes decoding fast and exact."""
