"""Where the servers meet that can share one engine process."""

from __future__ import annotations

import os
from dataclasses import asdict

from midfill.common.errors import EngineUnavailable
from midfill.common.paths import cache_dir
from midfill.inference import cores
from midfill.inference.bundle import Manifest
from midfill.sharing import CannotShare
from midfill.sharing.address import Address, address_of, digest


def address_for(manifest: Manifest, threads: int) -> Address:
    """Return where the engine for a bundle listens, if servers with this installation of Midfill share one.

    Args:
        manifest: of the bundle.
        threads: the setting.

    Raises:
        EngineUnavailable: there is no folder that is safe for it.
    """
    common = {
        "bundle": digest_of(manifest),
        "threads": [threads, cores.usable().key],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),  # the engine inherits that of the server that starts it
        "cache": str(cache_dir().absolute()),
    }
    try:
        return address_of(common)
    except CannotShare as error:
        raise EngineUnavailable(error.why) from error


def digest_of(manifest: Manifest) -> str:
    """Return a text that differs for each bundle; the manifest has a hash of each file."""
    return digest(asdict(manifest))
