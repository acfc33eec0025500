"""Token ids in, tokens out: a bundle, its model, and everything that makes decoding fast and exact."""
