"""``python -m midfill``."""

import sys

from midfill.cli import main

sys.exit(main())
