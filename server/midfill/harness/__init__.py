"""Scripts of what somebody does in an editor and what must come of it: `midfill harness`, for a CI of one's own."""
