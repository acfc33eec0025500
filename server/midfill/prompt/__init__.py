"""A document and what belongs to it -> token ids, in the model's format and budget."""
