"""How the unit tests run."""

from hypothesis import settings

# No deadline, for machines differ; the same examples each time, for a failure must stay until it is mended.
settings.register_profile("midfill", deadline=None, derandomize=True, database=None)
settings.load_profile("midfill")
