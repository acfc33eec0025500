"""Suggestions: from a request to the text that is shown."""
