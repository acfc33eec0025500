"""The model of a server that the user names: what is sent to it, what comes back, and what happens if it is away.

::

    open_remote ── remote_model ── remote_generator ── server ── probe ── connection ── http_client ══ the server
                                          │              ├── key
                                          │              └── breaker
                                          └── answers ── openai_dialect, llama_dialect

Nothing of this is imported without the setting ``engine`` or ``actionsEngine``. ``http_client`` alone imports httpx.
"""
