"""What else in the workspace matters at a cursor: definitions, siblings, similar chunks, recent edits.

The index is built and asked in a child process (:mod:`~midfill.retrieval.worker`) that the server talks to over pipes,
so typing never waits for it; :mod:`~midfill.retrieval.ranking` is what the server asks. Nothing is written to disk.
"""
