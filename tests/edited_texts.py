"""Texts in which a first change makes the next one likely; every editor's tests begin with them."""

from __future__ import annotations

AREA = """import math


def area(r, scale=1.0):
    \"\"\"Return the area of a circle.\"\"\"
    if r < 0:
        raise ValueError("negative")
    return math.pi * r * r * scale
"""
"""A function whose parameter is to be renamed."""
CIRCLE = f"""{AREA}

def circumference(r):
    return 2 * math.pi * r
"""
"""The same, and another function with a parameter of that name."""
LIKE_LINES = """import os

config = {}
config["host"] = os.environ.get("HOST")
config["port"] = os.environ.get("PORT")
"""
"""Two lines that are to be changed alike."""
CONFIG = f"""{LIKE_LINES}

def show(config):
    for name, value in sorted(config.items()):
        print(name, value)
"""
"""The same, and a function."""


def with_radius(text: str) -> str:
    """Return a text with all uses of the parameter renamed."""
    renamed = text.replace("area(r,", "area(radius,").replace("if r <", "if radius <")
    return renamed.replace("* r * r *", "* radius * radius *")
