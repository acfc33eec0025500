"""How the unit tests run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

from midfill.settings import default_bundle

# No deadline, for machines differ; the same examples each time, for a failure must stay until it is mended.
settings.register_profile("midfill", deadline=None, derandomize=True, database=None)
settings.load_profile("midfill")

# What the user has set and counted stays out of the tests, and what they count out of the user's; before they are
# collected, for their parameters hold settings.
_folder = tempfile.mkdtemp(prefix="midfill-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["MIDFILL_BUNDLE"] = str(default_bundle())
os.environ["MIDFILL_CACHE"] = os.path.join(_folder, "cache")
os.environ["MIDFILL_CONFIG"] = os.path.join(_folder, "none.toml")
