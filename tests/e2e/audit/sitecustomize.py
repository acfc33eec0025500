"""Python imports this by itself when its folder is on PYTHONPATH: writes down every socket event of the process.

Each line of the file that MIDFILL_AUDIT names is an event and, for a new socket, its address family.
"""

from __future__ import annotations

import os
import sys

_LOG = os.open(os.environ["MIDFILL_AUDIT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(("socket.", "urllib.", "http.client.")):
        family = f" {arguments[1]}" if event == "socket.__new__" else ""
        os.write(_LOG, f"{event}{family}\n".encode())


sys.addaudithook(_audit)
