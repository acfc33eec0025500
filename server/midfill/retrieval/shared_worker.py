"""The index's process when servers share it: one index of one workspace for all clients that come.

It ends with its last client. A client gets the answers to its own requests only, and its document's text is forgotten
with its request, so clients have nothing in common but what is on disk.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from midfill.common import background, logs
from midfill.retrieval.ipc import MessageConnection
from midfill.retrieval.worker import Client, Inbox, Worker, rules_of, work
from midfill.sharing.attendance import Attendance
from midfill.sharing.outbox import Outbox
from midfill.sharing.reception import listen

if TYPE_CHECKING:
    from midfill.sharing.connection import RawConnection


def serve(raw: RawConnection, inbox: Inbox, attendance: Attendance) -> None:
    """Pass a client's messages on until it leaves.

    Raises:
        ConnectionLost: it has ended.
    """
    connection = MessageConnection(raw)
    outbox = Outbox(connection.send)  # a client that does not read must not delay the others
    client = Client(outbox.put)
    attendance.joined()
    inbox.put(client, {"do": "join"})
    try:
        while not outbox.is_full and (message := connection.receive())["do"] != "leave":
            inbox.put(client, message)
    finally:
        inbox.put(client, {"do": "leave"})
        outbox.close()
        attendance.left()
        connection.close()


def main() -> None:
    """Serve as the input says."""
    logs.setup_logging(logging.WARNING)
    background.enter()
    if (listening := listen()) is None:
        return
    reception, setup = listening
    inbox = Inbox()
    reception.open(lambda raw: serve(raw, inbox, reception.attendance))
    threading.Thread(target=reception.stay, name="midfill-stay", daemon=True).start()
    work(Worker(rules_of(setup)), inbox)


if __name__ == "__main__":
    main()
