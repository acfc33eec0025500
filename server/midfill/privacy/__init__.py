"""What no prompt may contain: secrets and ignored files."""
