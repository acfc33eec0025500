"""Download weights from the Hugging Face hub, with the hub's own client."""

from __future__ import annotations

import os
import re
from pathlib import Path

from midfill.common.child_programs import python_module
from midfill_export.weights.downloader import OnDownloaded, Unavailable, run_watched
from midfill_export.weights.weights import Weights

ANSWER_SECONDS = 5
"""How long the hub may take for its first answer."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

CLIENT_ENVIRONMENT = {
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # the weights are public, so the user's token is not sent
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # an interrupted Xet download starts again from nothing
}


def from_hub(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
    """Download the file to a folder below ``folder``, continuing an interrupted download.

    Raises:
        Unavailable: The hub does not answer, or does not have the file.
    """
    _require_answer(weights)
    folder = folder.absolute() / "hub"
    folder.mkdir(exist_ok=True)
    command = python_module("huggingface_hub.cli.hf", "download", weights.hub_repo, weights.file)
    command += ["--revision", weights.hub_revision, "--local-dir", str(folder), "--quiet"]
    run_watched(
        command,
        folder,
        {**os.environ, **CLIENT_ENVIRONMENT},
        lambda size: progress(size, weights.size, "from the hub"),
    )
    return folder / weights.file


def stated_by_hub(weights: Weights) -> tuple[str, int]:
    """Return the SHA-256 that the hub states for a file in its large-file storage, and the file's size.

    Raises:
        Unavailable: The hub does not answer, or states none.
    """
    # Imported late because it is slow.
    from huggingface_hub import get_hf_file_metadata, hf_hub_url  # noqa: PLC0415

    url = hf_hub_url(weights.hub_repo, weights.file, revision=weights.hub_revision)
    try:
        stated = get_hf_file_metadata(url, token=False, timeout=ANSWER_SECONDS)
    except OSError as error:  # the errors of requests and of the hub's client
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise Unavailable(f"it answers with status {status}" if status else "it does not answer") from error
    if stated.etag is None or not _SHA256.fullmatch(stated.etag) or not stated.size:
        raise Unavailable("it states no SHA-256 of the file")
    return stated.etag, stated.size


def _require_answer(weights: Weights) -> None:
    """Check that the hub answers; the client itself tries for half a minute before it reports a missing network."""
    # Imported late because it is slow, and not needed when the weights are in the cache.
    from huggingface_hub import get_session, hf_hub_url  # noqa: PLC0415

    url = hf_hub_url(weights.hub_repo, weights.file, revision=weights.hub_revision)
    try:
        status = get_session().head(url, timeout=ANSWER_SECONDS, allow_redirects=False).status_code
    except OSError as error:  # the errors of requests and of HF_HUB_OFFLINE
        raise Unavailable("it does not answer") from error
    if status >= 400:
        raise Unavailable(f"it answers with status {status}")
