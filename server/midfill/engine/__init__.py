"""One model for all servers of a user on this machine: an engine process, and the servers as its clients.

::

    a server                                        the engine process
    open_model ── shared_model ═════ messages ═════ host ── served_client ── gate ── inference.LoadedModel
                  engine_process ── sharing                 one for each connection

A server keeps the manifest and the tokenizer. The weights, onnxruntime and the KV caches are in the engine process.
Each generator of tokens has a connection of its own, and its caches live as long as that.
"""
