"""What became of requests and suggestions, kept on this machine for its user."""
