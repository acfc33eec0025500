"""How the unit tests run."""

import pytest
from hypothesis import settings

from midfill.common import file_identity
from midfill.common.file_identity import Resolver
from unit.disks import LooseDisk

# No deadline, for machines differ; the same examples each time, for a failure must stay until it is mended.
settings.register_profile("midfill", deadline=None, derandomize=True, database=None)
settings.load_profile("midfill")


@pytest.fixture
def loose_disk(monkeypatch: pytest.MonkeyPatch) -> LooseDisk:
    """Let all parts in this process see a file system that ignores case and the form of Unicode."""
    disk = LooseDisk()
    monkeypatch.setattr(file_identity, "_resolver", Resolver(disk))
    return disk
