"""Suggestions: from a request to a text worth showing."""
