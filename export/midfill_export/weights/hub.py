"""Download weights from the Hugging Face hub, with the hub's own client."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from midfill_export.weights.downloader import OnDownloaded, Unavailable, run_watched
from midfill_export.weights.known_models import Weights

ANSWER_SECONDS = 5

CLIENT_ENVIRONMENT = {
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # the weights are public: nobody needs to know who asks
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # an interrupted Xet download starts again from nothing
}


def from_hub(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
    """Download the file below ``folder``, going on where an earlier try stopped.

    Raises:
        Unavailable: The hub does not answer, or does not have the file.
    """
    _require_answer(weights)
    folder = folder / "hub"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "huggingface_hub.cli.hf", "download", weights.hub_repo, weights.file]
    command += ["--revision", weights.hub_revision, "--local-dir", str(folder), "--quiet"]
    run_watched(
        command,
        folder,
        {**os.environ, **CLIENT_ENVIRONMENT},
        lambda size: progress(size, weights.size, "from the hub"),
    )
    return folder / weights.file


def _require_answer(weights: Weights) -> None:
    """Ask once, briefly: the client itself tries for half a minute before it believes that there is no network."""
    # Imported late because it is slow, and a pull of what is already there needs none of it.
    from huggingface_hub import get_session, hf_hub_url  # noqa: PLC0415

    url = hf_hub_url(weights.hub_repo, weights.file, revision=weights.hub_revision)
    try:
        status = get_session().head(url, timeout=ANSWER_SECONDS, allow_redirects=False).status_code
    except OSError as error:  # requests' errors and HF_HUB_OFFLINE's alike
        raise Unavailable("it does not answer") from error
    if status >= 400:
        raise Unavailable(f"it answers with status {status}")
