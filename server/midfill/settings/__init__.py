"""The settings, and the sources of their values."""
