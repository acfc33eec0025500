"""Weights -> a verified bundle."""
