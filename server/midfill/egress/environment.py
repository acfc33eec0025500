"""The environment without what keeps libraries quiet: a proof must not hold only where that is set."""

from __future__ import annotations

import os

_OF_CI = (
    *("CI", "CONTINUOUS_INTEGRATION", "BUILD_NUMBER", "BUILD_ID", "RUN_ID", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"),
    *("APPVEYOR", "BUILDKITE", "CIRCLECI", "CODEBUILD_BUILD_ID", "DRONE", "JENKINS_URL", "TEAMCITY_VERSION", "TRAVIS"),
)
"""Some libraries send nothing in continuous integration."""
_OF_USERS = ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
"""The user may have opted out of telemetry for all programs."""
QUIETENING = frozenset((*_OF_CI, *_OF_USERS))


def talkative(**more: str) -> dict[str, str]:
    """Return this process's environment without those variables, and with some more."""
    return {name: value for name, value in os.environ.items() if name not in QUIETENING} | more
