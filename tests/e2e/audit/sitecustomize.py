"""Python imports this by itself when its folder is on PYTHONPATH: writes down every socket event of the process.

Each line of the file that MIDFILL_AUDIT names is an event and the address family of its socket, or -1.
"""

from __future__ import annotations

import os
import sys

_LOG = os.open(os.environ["MIDFILL_AUDIT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(("socket.", "urllib.", "http.client.")):
        family = arguments[1] if event == "socket.__new__" else getattr(arguments[0], "family", -1)
        os.write(_LOG, f"{event} {family:d}\n".encode())


sys.addaudithook(_audit)
