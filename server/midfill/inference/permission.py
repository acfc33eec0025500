"""Whether a bundle's model may be used: by its licence for the user's purpose, and by the administrators' policy."""

from __future__ import annotations

from midfill.inference.bundle import Manifest
from midfill.inference.licences import require_use
from midfill.settings.policy_file import read_policy
from midfill.settings.schema import Settings


def require_permission(manifest: Manifest, settings: Settings) -> None:
    """Check that the model may be used. The policy is read anew, so that it holds for whoever opens a model.

    Raises:
        LicenceRefused: the licence does not allow the use, or that is not known.
        PolicyRefused: the policy does not allow the model, or cannot be used.
    """
    policy = read_policy()
    licence = manifest.source.license
    policy.require_model(manifest.name, licence)
    require_use(licence, manifest.name, policy.settings.get("use", settings.use))
