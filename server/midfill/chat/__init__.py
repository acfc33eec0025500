"""Questions and answers with the bundle's chat model."""
