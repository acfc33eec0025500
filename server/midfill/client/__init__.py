"""A client of the language server protocol, without an editor; ``bench`` and ``harness`` use it.

* ``server_process`` starts a server, sends requests and notifications to it, and receives the answers.
* ``framing`` is the format of messages in a byte stream.
"""
