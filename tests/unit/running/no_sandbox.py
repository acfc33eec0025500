"""Stands in for the sandbox's program where the system refuses namespaces."""

import sys

sys.exit(97)
