"""``midfill bench``: how fast this machine runs a bundle, and how fast llama.cpp's server runs the same model.

:mod:`~midfill.bench.benchmark` runs everything: it starts the processes, takes each figure, and returns a report.

* ``machine`` measures the model alone: prefill, decoding, steps, the first token, and the time to stop after a cancel.
* ``keystrokes`` measures what somebody who types sees. ``replay`` types ``scenes`` (functions of Python's standard
  library, so that anyone can repeat a measurement) at a human pace. It types into a ``Suggester``: ``lsp_client`` is
  the real server, ``in_process`` the same completer in this process, and ``peer_typing`` is llama.cpp's server.
* ``peer`` starts llama.cpp's server and talks to it over HTTP. Only ``midfill bench --peer`` imports it.
* ``shared_delay`` compares a model in this process with one in the process that servers share (``--shared``).
* ``figures`` holds the measured numbers. The two sides are measured in turns, because a machine's speed drifts.
* ``report`` prints a report; ``history`` keeps the figures of many runs, and ``plot`` and ``history_plot`` draw them.
"""
