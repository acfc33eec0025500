"""Getting weights: from a hub, a package registry or a file, known by their SHA-256."""
