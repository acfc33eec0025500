"""Getting weights from the hub, a package registry or a file, and checking their SHA-256."""
