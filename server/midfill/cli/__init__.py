"""The commands of `midfill`."""
