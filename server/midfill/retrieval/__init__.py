"""Finds what else in the workspace is useful at a cursor: definitions, siblings, similar chunks, recent edits.

:mod:`~midfill.retrieval.service` is what the server uses. The index is built and queried in a child process
(:mod:`~midfill.retrieval.worker`), or in a process that servers of one workspace share
(:mod:`~midfill.retrieval.shared_worker`). :mod:`~midfill.retrieval.index` sends messages to it, so that typing never
waits for it. :mod:`~midfill.retrieval.ranking` chooses the snippets for a prompt. Nothing is written to disk.
"""
