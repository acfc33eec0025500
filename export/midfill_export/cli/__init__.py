"""The commands that download, convert and tune."""
