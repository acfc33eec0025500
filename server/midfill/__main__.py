"""``python -m midfill``."""

import sys

from midfill.cli.main import main

sys.exit(main())
