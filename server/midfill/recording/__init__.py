"""A session in a file, and its answers again: ``serve --record`` and ``midfill replay``.

* ``events`` are the lines of the file: what was asked, and what was answered.
* ``record_file`` writes and reads them. It is bounded, and trusts nothing that it reads.
* ``hidden`` takes the secrets out of a request before the engine sees it.
* ``recorder`` serves a client as usual, and ``session_record`` writes down what happens.
* ``replay`` answers the recorded requests again, and compares.
"""
