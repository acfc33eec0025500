"""`midfill api`: completions over HTTP on loopback, in the dialects of OpenAI and vLLM, and of llama-server.

::

    client ── guard ── app ── completions, infill ── fill ── model_worker ── completion.CompletionEngine
     HTTP     key,     routes  the two dialects      text      one thread         the pipeline
              Host                                   └─ tokens ────┴──────── inference.TokenGenerator

A text with a suffix goes through the pipeline that an editor's suggestions go through. Token ids go to the generator as
they are. Only this package imports starlette and uvicorn, and only ``listen`` opens a socket.
"""
