"""`midfill api`: serves completions over HTTP to programs of this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys

from midfill.api.app import make_app, make_server
from midfill.api.key import load_key
from midfill.api.listen import address_of, listen
from midfill.cli.files import own_settings
from midfill.common import logs
from midfill.inference.bundle import load_bundle
from midfill.inference.licences import require_use
from midfill.settings.live import LiveSettings


def run(args: argparse.Namespace) -> int:
    """Serve until the user ends it.

    Raises:
        UsageError: the address or the key cannot be used.
        BundleError: the model cannot be used.
    """
    logs.setup_logging(args.log_level)
    settings = own_settings(args.bundle)
    manifest = load_bundle(settings.bundle).manifest
    require_use(manifest.source.license, manifest.name, settings.use)
    key, place = load_key()
    with listen(args.host, args.port) as listening:
        server = make_server(make_app(LiveSettings(settings), key))
        sys.stdout.write(f"Midfill listens at {address_of(listening)}, on this machine only; the key is {place}.\n")
        sys.stdout.flush()
        asyncio.run(server.serve(sockets=[listening]))
    return 0
