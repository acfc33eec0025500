"""A process that all servers of a user share on this machine: the first one starts it, later ones join it.

::

    a server                                   the shared process
    start ── address ══════ connection ══════ reception ── attendance

:mod:`~midfill.sharing.address` says where it listens, and who meets there. :mod:`~midfill.sharing.start` joins or
starts it. :mod:`~midfill.sharing.reception` lets clients in, and ends it. :mod:`~midfill.sharing.outbox` sends without
waiting. What is said is up to those who use this.
"""

import sys

CAN_SHARE = sys.platform != "win32"
"""Whether servers can share a process on this system."""


class CannotShare(Exception):
    """There is no shared process, for the reason ``why``, which is a part of a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
