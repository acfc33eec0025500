"""Runs code in a sandbox: what a model wrote, and what a project has."""
