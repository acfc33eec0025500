"""The language server with a policy file of a test's own; run as a program by the tests.

usage: governed_server.py POLICY_FILE

No user can do this to the real server: no option, variable or setting moves its policy.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from midfill.cli.main import main
from midfill.settings import policy_file


def serve(file: str) -> int:
    """Serve until the client leaves, under the policy in ``file``."""
    vars(policy_file).update(policy_file=lambda: Path(file), _OWNER=os.getuid())
    return main(["serve"])


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1]))
