"""From a document and its context to token ids, in the model's format and within its token budget."""
